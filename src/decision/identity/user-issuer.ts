import type { ProviderKeys } from '../jws/provider-keys.ts'

/** An identity provider whose access tokens begin chains. */
export type UserIssuer = {
  /** Our name for it, which qualifies its users and groups. */
  readonly name: string
  /** Its URL, the `iss` of its tokens. */
  readonly issuer: string
  readonly audience: string
  readonly keys: ProviderKeys
  /** The claims that hold a user's id and groups. */
  readonly id: string
  readonly groups: string
  /** What a token without the groups claim means: a fault, or a user in no group. */
  readonly groupsAbsent: 'refuse' | 'none'
  readonly groupsAllow: readonly string[]
  /** The clients whose tokens are accepted; empty for any. */
  readonly clients: readonly string[]
  /** The claim that shows that a user took part; `undefined`: only known marks of a client's own token are refused. */
  readonly userClaim: string | undefined
}
