import type { ProviderRules } from './rules.ts'

/** Any other provider: the configuration names the claim that only a user's token has. */
export const generic: ProviderRules = {
  issuer: { hosts: undefined, path: /^/, isHostFixed: false, example: 'https://idp.example' },
  headerTypes: ['JWT', 'at+jwt', 'none'],
  evidence: [],
  userClaim: 'required',
  clientClaims: ['azp', 'client_id', 'cid', 'appid'],
  audience: 'always',
  groups: 'groups',
  hasGroupPaths: false,
  isEvidenceItsOwn: false,
}
