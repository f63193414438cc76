import { expect } from 'chai'
import type { Draft } from '../../src/config/conflict.ts'
import type { Settings } from '../../src/config/settings.ts'
import { userIssuerConflicts } from '../../src/config/user-issuer-rules.ts'

const issuer = 'https://idp.hospital.example'
const entra = 'https://sts.windows.net/72f988bf-86f1-41af-91ab-2d7cd011db47/'
const listed = { issuer, groups: 'groups', clients: ['ui'] }

describe('config/user-issuer-rules', () => {
  const cases: readonly {
    readonly name: string
    readonly user: Exclude<Draft<Settings['users']>, undefined>[number]
    readonly want: readonly string[]
  }[] = [
    { name: 'no `userClaim`', user: { issuer, clients: [] }, want: [] },
    { name: '`sid` with clients', user: { ...listed, userClaim: 'sid' }, want: [] },
    {
      name: '`sid` of any client',
      user: { issuer, userClaim: 'sid', clients: [] },
      want: ['users.0.clients'],
    },
    { name: '`scp` of Entra', user: { issuer: entra, userClaim: 'scp', clients: [] }, want: [] },
    {
      name: 'another claim of Entra, of any client',
      user: { issuer: entra, userClaim: 'x', clients: [] },
      want: ['users.0.clients'],
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
    { name: 'a claim where the clients are wrong already', user: { issuer, userClaim: 'sid' }, want: [] },
  ]
  for (const { name, user, want } of cases) {
    it(`${want.length === 0 ? 'accepts' : 'refuses'} ${name}`, () => {
      expect(
        userIssuerConflicts({ users: [{ jwks: 'idp.json', ...user }] }).map(({ path }) => path.join('.')),
      ).to.deep.equal(want)
    })
  }
})
