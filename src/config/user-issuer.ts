import type { UserIssuer } from './settings.ts'

/** An entry of `users`; `userClaim` is the configured one, or the one that its issuer is known for. */
export type UserIssuerConfig = UserIssuer & { readonly userClaim: string | undefined }

/**
 * Where Entra issues tokens, v2.0 and v1.0, also in national clouds. Its access tokens have `scp` when they were issued to a
 * user, and no scope in it when to an application.
 */
const entraHosts: ReadonlySet<string> = new Set([
  'login.microsoftonline.com',
  'sts.windows.net',
  'login.microsoftonline.us',
  'login.partner.microsoftonline.cn',
  'login.chinacloudapi.cn',
  'sts.chinacloudapi.cn',
])

/** The claim of Entra's access tokens that only a user's has. */
export const entraUserClaim = 'scp'

/** Whether tokens of this issuer come from Microsoft Entra ID. */
export function isEntra(issuer: string): boolean {
  return URL.canParse(issuer) && entraHosts.has(new URL(issuer).hostname)
}

/** Fills in what follows from the issuer; `at` makes a path absolute. */
export function toUserIssuer(user: UserIssuer, at: (path: string) => string): UserIssuerConfig {
  const userClaim = user.userClaim ?? (isEntra(user.issuer) ? entraUserClaim : undefined)
  return { ...user, userClaim, jwks: at(user.jwks) }
}
