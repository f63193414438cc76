import { type ProviderName, providerOf, rulesOf } from '../base/providers/provider-rules.ts'
import { type KeySource, toKeySource } from './key-source.ts'
import type { UserIssuer } from './settings.ts'

/** An entry of `users` with what follows from its provider. */
export type UserIssuerConfig = Omit<
  UserIssuer,
  'jwks' | 'keys' | 'provider' | 'audience' | 'groups' | 'userClaim'
> & {
  readonly provider: ProviderName
  /** The accepted audiences; `callee` for the SPIFFE ID of the called service; `none`: tokens have no `aud`. */
  readonly audience: readonly string[] | 'callee' | 'none'
  readonly groups: string
  /** The claim that only a user's token has; `undefined` if the evidence of the provider is enough. */
  readonly userClaim: string | undefined
  readonly keySource: KeySource
}

/** Adds settings that follow from the provider; `at` makes a path absolute. */
export function toUserIssuer(user: UserIssuer, at: (path: string) => string): UserIssuerConfig {
  const { jwks, keys, audience, ...same } = user
  const provider = user.provider ?? providerOf(user.issuer)
  const { groups, userClaim } = rulesOf(provider)
  const isImplied = userClaim !== 'none' && userClaim !== 'required'
  return {
    ...same,
    provider,
    audience: toAudience(audience),
    groups: user.groups ?? groups,
    userClaim: user.userClaim ?? (isImplied ? userClaim : undefined),
    keySource: toKeySource({ issuer: user.issuer, jwks, keys }, at),
  }
}

function toAudience(audience: UserIssuer['audience']): UserIssuerConfig['audience'] {
  if (audience === undefined) return 'none'
  if (typeof audience !== 'string') return audience
  return audience === 'callee' ? audience : [audience]
}
