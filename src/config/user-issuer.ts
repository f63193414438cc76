import { type KeySource, toKeySource } from './key-source.ts'
import type { UserIssuer } from './settings.ts'

/** An entry of `users`; `userClaim` is the configured one, or the known one of its issuer. */
export type UserIssuerConfig = Omit<UserIssuer, 'jwks' | 'keys'> & {
  readonly userClaim: string | undefined
  readonly keySource: KeySource
}

/**
 * The issuers of Entra v2.0 and v1.0, including national clouds. Its access tokens have `scp` if they were issued to a
 * user, and without a scope if issued to an application.
 */
const entraHosts: ReadonlySet<string> = new Set([
  'login.microsoftonline.com',
  'sts.windows.net',
  'login.microsoftonline.us',
  'login.partner.microsoftonline.cn',
  'login.chinacloudapi.cn',
  'sts.chinacloudapi.cn',
])

/** The claim that only a user's Entra access token has. */
export const entraUserClaim = 'scp'

/** True if tokens of this issuer come from Microsoft Entra ID. */
export function isEntra(issuer: string): boolean {
  return URL.canParse(issuer) && entraHosts.has(new URL(issuer).hostname)
}

/** Adds settings that follow from the issuer; `at` makes a path absolute. */
export function toUserIssuer(user: UserIssuer, at: (path: string) => string): UserIssuerConfig {
  const { jwks, keys, ...same } = user
  const userClaim = user.userClaim ?? (isEntra(user.issuer) ? entraUserClaim : undefined)
  return { ...same, userClaim, keySource: toKeySource({ issuer: user.issuer, jwks, keys }, at) }
}
