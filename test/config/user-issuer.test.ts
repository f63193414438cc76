import { expect } from 'chai'
import type { UserIssuer } from '../../src/config/settings.ts'
import { toUserIssuer } from '../../src/config/user-issuer.ts'

const user: UserIssuer = {
  name: 'hospital',
  issuer: 'https://idp.hospital.example/realms/hospital',
  audience: 'hospital-agents',
  jwks: 'idp.json',
  id: 'sub',
  groupsAbsent: 'refuse',
  groupsAllow: [],
  clients: ['ui'],
}
const entra = 'https://sts.windows.net/72f988bf-86f1-41af-91ab-2d7cd011db47/'
const cognito = 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_x'

describe('config/user-issuer', () => {
  const cases: readonly {
    readonly name: string
    readonly user: Partial<UserIssuer>
    readonly want: object
  }[] = [
    {
      name: 'Keycloak, recognized by its issuer',
      user: {},
      want: { provider: 'keycloak', userClaim: 'sid', groups: 'groups', audience: ['hospital-agents'] },
    },
    { name: 'another claim for a user', user: { userClaim: 'auth_time' }, want: { userClaim: 'auth_time' } },
    {
      name: 'a provider that is named',
      user: { provider: 'generic' },
      want: { provider: 'generic', userClaim: undefined },
    },
    { name: 'Entra', user: { issuer: entra }, want: { provider: 'entra', userClaim: undefined } },
    {
      name: 'Cognito without audience',
      user: { issuer: cognito, audience: undefined },
      want: { provider: 'cognito', audience: 'none', groups: 'cognito:groups' },
    },
    { name: 'several audiences', user: { audience: ['a', 'b'] }, want: { audience: ['a', 'b'] } },
    { name: 'a list with the word', user: { audience: ['callee'] }, want: { audience: ['callee'] } },
    { name: 'the called service as audience', user: { audience: 'callee' }, want: { audience: 'callee' } },
    {
      name: 'keys in a file',
      user: {},
      want: { keySource: { kind: 'file', path: '/etc/idp.json', key: 'jwks' } },
    },
  ]
  for (const { name, user: change, want } of cases) {
    it(`fills in what follows from ${name}`, () =>
      expect(toUserIssuer({ ...user, ...change }, (path) => `/etc/${path}`)).to.deep.include(want))
  }
})
