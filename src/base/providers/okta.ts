import type { ProviderRules } from './rules.ts'

/** A custom authorization server of Okta. Tokens of the org authorization server are meant for Okta alone. */
export const okta: ProviderRules = {
  issuer: {
    hosts: /\.okta(?:preview|-emea|-gov)?\.com$/,
    path: /^\/oauth2\/[^/]+$/,
    isHostFixed: false,
    example: 'https://hospital.okta.com/oauth2/default',
  },
  headerTypes: ['none', 'JWT', 'at+jwt'],
  // The id of the user, which no claim of an administrator replaces.
  evidence: [{ kind: 'shown', claim: 'uid' }],
  userClaim: 'none',
  clientClaims: ['cid'],
  audience: 'always',
  groups: 'groups',
  hasGroupPaths: false,
  isEvidenceItsOwn: true,
}
