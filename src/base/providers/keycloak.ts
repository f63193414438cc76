import type { ProviderRules } from './rules.ts'

/** Keycloak 26, as it answered (`npm run test:identities`). */
export const keycloak: ProviderRules = {
  issuer: {
    hosts: undefined,
    path: /\/realms\/[^/]+$/,
    isHostFixed: false,
    example: 'https://idp.hospital.example/realms/hospital',
  },
  headerTypes: ['JWT', 'at+jwt'],
  // ID tokens say `ID`, refresh tokens `Refresh` or `Offline`, tokens that are bound to a key `DPoP`.
  evidence: [{ kind: 'equals', claim: 'typ', value: 'Bearer' }],
  userClaim: 'sid',
  clientClaims: ['azp'],
  audience: 'always',
  groups: 'groups',
  hasGroupPaths: true,
  isEvidenceItsOwn: false,
}
