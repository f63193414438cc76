import { expect } from 'chai'
import type { Draft } from '../../src/config/conflict.ts'
import type { Settings } from '../../src/config/settings.ts'
import { userIssuerConflicts } from '../../src/config/user-issuer-rules.ts'

type User = Exclude<Draft<Settings['users']>, undefined>[number]

const issuer = 'https://idp.hospital.example'
const entra = 'https://sts.windows.net/72f988bf-86f1-41af-91ab-2d7cd011db47/'
const cognito = 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_x'
const without = { audience: 'missing' }
const listed = { issuer, groups: 'groups', clients: ['ui'] }

describe('config/user-issuer-rules', () => {
  const cases: readonly {
    readonly name: string
    readonly user: User
    readonly want: readonly string[]
  }[] = [
    { name: 'no `userClaim` of Keycloak', user: { issuer: `${issuer}/realms/hospital` }, want: [] },
    { name: 'no `userClaim` of an unknown provider', user: { issuer }, want: ['users.0.userClaim'] },
    { name: 'none where it is wrong already', user: { issuer, userClaim: undefined }, want: [] },
    { name: '`sid` with clients', user: { ...listed, userClaim: 'sid' }, want: [] },
    { name: '`sid` of any client', user: { issuer, userClaim: 'sid', clients: 'any' }, want: [] },
    { name: '`scp` of Entra', user: { issuer: entra, userClaim: 'scp' }, want: [] },
    { name: 'another claim of Entra', user: { issuer: entra, userClaim: 'idtyp' }, want: [] },
    ...(
      [
        ['keycloak', `${issuer}/realms/hospital`, []],
        ['keycloak', `${issuer}/auth/realms/hospital`, []],
        ['keycloak', `${issuer}/realms/hospital/`, ['users.0.issuer']],
        ['keycloak', `${issuer}/hospital`, ['users.0.issuer']],
        ['entra', entra, []],
        ['entra', issuer, ['users.0.issuer']],
        ['entra', 'https://login.microsoftonline.com/x', ['users.0.issuer']],
        ['okta', 'https://hospital.okta.com/oauth2/default', []],
        ['okta', `${issuer}/oauth2/aus1`, []],
        ['okta', 'https://hospital.okta.com', ['users.0.issuer']],
        ['auth0', 'https://hospital.eu.auth0.com/', []],
        ['auth0', 'https://hospital.eu.auth0.com', ['users.0.issuer']],
        ['auth0', `${issuer}/`, []],
        ['cognito', 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_x', []],
        ['cognito', `${issuer}/eu-central-1_x`, ['users.0.issuer']],
      ] as const
    ).map(([provider, url, want]) => ({
      name: `${url} as an issuer of ${provider}`,
      user: { provider, issuer: url },
      want,
    })),
    {
      name: 'no audience',
      user: { issuer, userClaim: 'sid', ...without },
      want: ['users.0.audience'],
    },
    { name: 'no audience of Cognito', user: { issuer: cognito, clients: ['ui'], ...without }, want: [] },
    {
      name: 'no audience and any client of Cognito',
      user: { issuer: cognito, clients: 'any', ...without },
      want: ['users.0.clients'],
    },
    {
      name: 'a group in both spellings of Keycloak',
      user: { issuer: `${issuer}/realms/hospital`, groupsAllow: ['/a', 'a', '/b'] },
      want: ['users.0.groupsAllow.1'],
    },
    {
      name: 'the same of another provider',
      user: { ...listed, groupsAllow: ['/a', 'a'], userClaim: 'x' },
      want: [],
    },
    { name: '`scp` of another provider', user: { ...listed, userClaim: 'scp' }, want: ['users.0.userClaim'] },
    ...[
      'sub',
      'azp',
      'client_id',
      'aud',
      'scope',
      'acr',
      'roles',
      'jti',
      'preferred_username',
      'oid',
      'groups',
    ].map((userClaim) => ({
      name: `\`${userClaim}\`, which a client's own token can have`,
      user: { ...listed, userClaim },
      want: ['users.0.userClaim'],
    })),
    {
      name: 'the claim of the groups',
      user: { ...listed, groups: 'departments', userClaim: 'departments' },
      want: ['users.0.userClaim'],
    },
    {
      name: 'a claim where the issuer is wrong already',
      user: { issuer: undefined, userClaim: 'scp' },
      want: [],
    },
  ]
  for (const { name, user, want } of cases) {
    it(`${want.length === 0 ? 'accepts' : 'refuses'} ${name}`, () => {
      expect(
        userIssuerConflicts({ users: [withAudience({ jwks: 'idp.json', ...user })] }).map(({ path }) =>
          path.join('.'),
        ),
      ).to.deep.equal(want)
    })
  }
})

/** Adds the audience unless the case leaves it out. */
function withAudience(user: User): User {
  const { audience = 'agents', ...others } = user ?? {}
  return audience === without.audience ? others : { ...others, audience }
}
