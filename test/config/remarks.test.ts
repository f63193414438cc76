import { expect } from 'chai'
import { isProblems } from '../../src/base/model/problems.ts'
import { type Config, parseConfig } from '../../src/config/config.ts'
import { configWarnings, remarksOn } from '../../src/config/remarks.ts'
import { settings } from '../support/settings.ts'

const entra = 'https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0'

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
    { name: 'no such claim', user: { userClaim: undefined }, want: [['warning', '`userClaim`']] },
    {
      name: 'Entra, whose claim says enough',
      user: { issuer: entra, userClaim: 'scp', clients: [] },
      want: [],
    },
    ...['preferred_username', 'upn', 'unique_name', 'email', 'phone_number', 'name', 'nickname'].map(
      (id) => ({
        name: `\`id: ${id}\`, which can change`,
        user: { id, issuer: entra, userClaim: 'scp' },
        want: [['warning', `\`id: ${id}\``]] as const,
      }),
    ),
    ...['sub', 'oid', 'employee'].map((id) => ({
      name: `\`id: ${id}\`, which stays`,
      user: { id, issuer: entra, userClaim: 'scp' },
      want: [],
    })),
    {
      name: 'an audience that is a client',
      user: { audience: 'ui', clients: ['ui'], userClaim: 'scp' },
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
