import { auth0 } from './auth0.ts'
import { cognito } from './cognito.ts'
import { entra } from './entra.ts'
import { generic } from './generic.ts'
import { keycloak } from './keycloak.ts'
import { okta } from './okta.ts'
import type { ProviderRules } from './rules.ts'

/** The identity providers whose tokens are known, as `users[].provider` names them. */
export const providerNames = ['keycloak', 'entra', 'okta', 'auth0', 'cognito', 'generic'] as const

export type ProviderName = (typeof providerNames)[number]

const rules: Readonly<Record<ProviderName, ProviderRules>> = {
  keycloak,
  entra,
  okta,
  auth0,
  cognito,
  generic,
}

/** Returns what the tokens of a provider say. */
export function rulesOf(name: ProviderName): ProviderRules {
  return rules[name]
}

/** Recognizes a provider by its issuer URL; `generic` if none has such URLs. */
export function providerOf(issuer: string): ProviderName {
  if (!URL.canParse(issuer)) return 'generic'
  const { hostname, pathname } = new URL(issuer)
  const isKnown = ({ hosts, path }: ProviderRules['issuer']) => hosts?.test(hostname) ?? path.test(pathname)
  return providerNames.find((name) => name !== 'generic' && isKnown(rules[name].issuer)) ?? 'generic'
}

/** True if an issuer URL has the form that this provider gives it. */
export function isIssuerOf(name: ProviderName, issuer: string): boolean {
  if (!URL.canParse(issuer)) return false
  const { hostname, pathname } = new URL(issuer)
  const { hosts, path, isHostFixed } = rules[name].issuer
  // A URL without a path reads like one whose path is `/`, and `iss` is compared letter by letter.
  const written = pathname === '/' && !issuer.endsWith('/') ? '' : pathname
  return path.test(written) && (!isHostFixed || hosts?.test(hostname) === true)
}
