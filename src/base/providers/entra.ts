import type { ProviderRules } from './rules.ts'

/** Microsoft Entra ID, v2.0 and v1.0, with its national clouds (Microsoft's access token claims reference). */
export const entra: ProviderRules = {
  issuer: {
    hosts:
      /^(?:login\.microsoftonline\.(?:com|us)|sts\.windows\.net|login\.partner\.microsoftonline\.cn|(?:login|sts)\.chinacloudapi\.cn)$/,
    path: /^\/[^/]+\/(?:v2\.0)?$/,
    isHostFixed: true,
    example: 'https://login.microsoftonline.com/<tenant>/v2.0',
  },
  headerTypes: ['JWT', 'at+jwt'],
  // Delegated permissions: an application's own token has `roles` alone, an agent identity `scp: "/"`.
  evidence: [
    { kind: 'shown', claim: 'scp' },
    { kind: 'in-issuer', claim: 'tid' },
  ],
  userClaim: 'none',
  clientClaims: ['azp', 'appid'],
  audience: 'always',
  groups: 'groups',
  hasGroupPaths: false,
  isEvidenceItsOwn: true,
}
