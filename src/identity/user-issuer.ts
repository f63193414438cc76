import type { KeySet } from '../jws/key-set.ts'

/** An identity provider whose access tokens begin chains. */
export type UserIssuer = {
  /** Our name for it, which qualifies its users and groups. */
  readonly name: string
  /** Its URL, the `iss` of its tokens. */
  readonly issuer: string
  readonly audience: string
  readonly keys: KeySet
  /** The claims that hold a user's id and groups. */
  readonly id: string
  readonly groups: string
  readonly groupsAllow: readonly string[]
  /** The clients whose tokens are accepted; empty for any. */
  readonly clients: readonly string[]
}
