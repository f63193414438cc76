import type { ProviderRules } from './rules.ts'

/** Auth0, with both of its token profiles (its own, and RFC 9068). */
export const auth0: ProviderRules = {
  issuer: {
    hosts: /\.auth0\.com$/,
    path: /^\/$/,
    isHostFixed: false,
    example: 'https://hospital.eu.auth0.com/',
  },
  headerTypes: ['JWT', 'at+jwt'],
  // `<connection>|<id>`; a client's own token has `<client>@clients`.
  evidence: [{ kind: 'contains', claim: 'sub', text: '|' }],
  userClaim: 'none',
  clientClaims: ['azp', 'client_id'],
  audience: 'always',
  groups: 'groups',
  hasGroupPaths: false,
  isEvidenceItsOwn: true,
}
