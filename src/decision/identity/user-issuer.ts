import type { ProviderKeys } from '../jws/provider-keys.ts'

/** An identity provider whose access tokens begin chains. */
export type UserIssuer = {
  /** The configured name, which qualifies its users and groups. */
  readonly name: string
  /** The issuer URL: the `iss` of its tokens. */
  readonly issuer: string
  readonly audience: string
  readonly keys: ProviderKeys
  /** Whether a key that `keys` lacks can be fetched from the provider. */
  readonly canFetchKeys?: boolean
  /** The claims that hold a user's id and groups. */
  readonly id: string
  readonly groups: string
  /** How to read a token without the groups claim: as a fault, or as a user in no group. */
  readonly groupsAbsent: 'refuse' | 'none'
  readonly groupsAllow: readonly string[]
  /** The clients whose tokens are accepted; empty for any. */
  readonly clients: readonly string[]
  /** The claim that proves that a user took part. `undefined`: only known marks of client tokens are refused. */
  readonly userClaim: string | undefined
}
