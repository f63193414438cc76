import { expect } from 'chai'
import { isProblems } from '../../src/base/model/problems.ts'
import { type Config, parseConfig } from '../../src/config/config.ts'
import { configWarnings, remarksOn } from '../../src/config/remarks.ts'
import { settings } from '../support/settings.ts'

const entra = {
  provider: 'entra',
  issuer: 'https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0',
  id: 'oid',
} as const

describe('config/remarks', () => {
  const cases: readonly {
    readonly name: string
    readonly user: Partial<Config['users'][number]>
    /** Kind, and what the text names. */
    readonly want: readonly (readonly [kind: 'warning' | 'note', named: string])[]
  }[] = [
    {
      name: 'a claim that shows a user: what must be true of its clients',
      user: { clients: ['ui', 'portal'] },
      want: [['note', '`ui`, `portal`']],
    },
    {
      name: 'any client of Keycloak',
      user: { clients: 'any' },
      want: [['warning', 'exchanged cannot be told from the user']],
    },
    {
      name: 'any client of Entra',
      user: { ...entra, clients: 'any' },
      want: [['warning', '`clients: any`']],
    },
    {
      name: '`sub` of Entra, which differs by application',
      user: { ...entra, id: 'sub' },
      want: [['note', '`id: oid`']],
    },
    {
      name: 'Entra, whose claim says enough',
      user: entra,
      want: [],
    },
    ...['preferred_username', 'upn', 'unique_name', 'email', 'phone_number', 'name', 'nickname'].map(
      (id) => ({
        name: `\`id: ${id}\`, which can change`,
        user: { ...entra, id },
        want: [['warning', `\`id: ${id}\``]] as const,
      }),
    ),
    ...['oid', 'employee'].map((id) => ({
      name: `\`id: ${id}\`, which stays`,
      user: { ...entra, id },
      want: [],
    })),
    {
      name: 'the audience that Keycloak writes by itself',
      user: { audience: ['account'], clients: 'any' },
      want: [
        ['warning', '`clients: any`'],
        ['warning', '`audience: account`'],
      ],
    },
    {
      name: 'an audience that is a client',
      user: { ...entra, audience: ['ui', 'x'], clients: ['ui'] },
      want: [['warning', '`audience: ui`']],
    },
  ]
  for (const { name, user, want } of cases) {
    it(`says of ${name} ${want.length === 0 ? 'nothing' : `what ${want.map(([kind]) => `a ${kind}`)} says`}`, () => {
      const config = withUser(user)
      const remarks = remarksOn(config)
      expect(remarks.map(({ kind }) => kind)).to.deep.equal(want.map(([kind]) => kind))
      for (const [index, [, named]] of want.entries()) {
        expect(remarks[index]?.text).to.include(named).and.to.include('users `hospital`')
      }
      const warnings = want.filter(([kind]) => kind === 'warning')
      expect(configWarnings(config)).to.have.length(warnings.length)
    })
  }
})

function withUser(user: Partial<Config['users'][number]>): Config {
  const config = parseConfig('/waywarden.yaml', settings, new Map())
  if (isProblems(config)) throw new TypeError('bad settings')
  return { ...config, users: config.users.map((each) => ({ ...each, ...user })) }
}
