import type { ProviderRules } from './rules.ts'

/** A user pool of Amazon Cognito. Its access tokens have an `aud` only with resource binding. */
export const cognito: ProviderRules = {
  issuer: {
    hosts: /^cognito-idp\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?$/,
    path: /^\/[^/]+$/,
    isHostFixed: true,
    example: 'https://cognito-idp.eu-central-1.amazonaws.com/<user pool>',
  },
  headerTypes: ['none', 'JWT', 'at+jwt'],
  // ID tokens say `id`. A client's own token says `access`, too, and has no `username`.
  evidence: [
    { kind: 'equals', claim: 'token_use', value: 'access' },
    { kind: 'shown', claim: 'username' },
  ],
  userClaim: 'none',
  clientClaims: ['client_id'],
  audience: 'seldom',
  groups: 'cognito:groups',
  hasGroupPaths: false,
  isEvidenceItsOwn: true,
}
