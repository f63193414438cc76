import type { ProviderName } from '../../base/providers/provider-rules.ts'
import type { ProviderKeys } from '../jws/provider-keys.ts'

/** An identity provider whose access tokens begin chains. */
export type UserIssuer = {
  /** The configured name, which qualifies its users and groups. */
  readonly name: string
  /** The provider, whose rules say what a user's token has. */
  readonly provider: ProviderName
  /** The issuer URL: the `iss` of its tokens. */
  readonly issuer: string
  readonly audience: Audience
  readonly keys: ProviderKeys
  /** Whether a key that `keys` lacks can be fetched from the provider. */
  readonly canFetchKeys?: boolean
  /** The claim that holds a user's id. */
  readonly id: string
  /** The claim that holds a user's groups, or a JSON Pointer to it. */
  readonly groups: string
  /** How to read a token without the groups claim: as a fault, or as a user in no group. */
  readonly groupsAbsent: 'refuse' | 'none'
  readonly groupsAllow: readonly string[]
  /** The clients whose tokens are accepted. */
  readonly clients: readonly string[] | 'any'
  /** The claim that only a user's token has, besides the evidence of the provider; `undefined`: that is enough. */
  readonly userClaim: string | undefined
}

/** The accepted `aud`: one of a list, the SPIFFE ID of the called service, or no `aud` at all. */
export type Audience = readonly string[] | 'callee' | 'none'
