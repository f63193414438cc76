import { mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { writeTestFiles } from '../support/running-app.ts'
import { settings } from '../support/settings.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { run } from '../support/terminal.ts'
import { segmentsOf, writeLog } from '../support/written-log.ts'

// The mistakes of a first day. Each answer must say what is wrong, where, and what to do.

type Mistake = {
  readonly name: string
  /** Makes the mistake in a folder that has none. */
  readonly make?: (directory: string) => void | Promise<void>
  /** The arguments; a path begins with `@`. */
  readonly argv: readonly string[]
  readonly code: number
  readonly says: readonly RegExp[]
}

const change = (file: string, from: string, to: string) => (directory: string) => {
  const path = join(directory, file)
  const text = readFileSync(path, 'utf8')
  expect(text).to.include(from)
  writeFileSync(path, text.replace(from, to))
}
const add = (file: string, text: string) => (directory: string) => writeFileSync(join(directory, file), text)
const config = ['config', 'check', '--config', '@waywarden.yaml']
const policies = ['policy', 'check', '@policies']

const mistakes: readonly Mistake[] = [
  {
    name: 'a key of waywarden.yaml in other letters',
    make: change('waywarden.yaml', 'audit:', 'audti:'),
    argv: config,
    code: 78,
    says: [/waywarden\.yaml:\d+: `audti`: unknown key; did you mean `audit`\?/],
  },
  {
    name: 'a key of services.yaml in other letters',
    make: change('policies/services.yaml', '    routes:', '    rotues:'),
    argv: policies,
    code: 1,
    says: [/services\.yaml:\d+:\d+: service `billing-agent`: `rotues`: unknown key; did you mean `routes`\?/],
  },
  {
    name: 'a duration without unit',
    make: change('waywarden.yaml', 'deadline: 10s', 'deadline: 150'),
    argv: config,
    code: 78,
    says: [
      /waywarden\.yaml:\d+: `deadline`: expected a duration with its unit, such as `150ms`, found `150`/,
    ],
  },
  {
    name: 'a path that leads nowhere',
    make: change('waywarden.yaml', './idp-jwks.json', './nowhere.json'),
    argv: config,
    code: 78,
    says: [/`users\.0\.jwks`: .*nowhere\.json: cannot be read: there is no such file or directory/],
  },
  {
    name: 'a tab',
    make: change('policies/services.yaml', '    addresses', '\taddresses'),
    argv: policies,
    code: 1,
    says: [
      /services\.yaml:\d+:1: .*found a tab.*indent with spaces alone/,
      /\n +\d+ \| →addresses/,
      /\n +\| \^/,
      /1 problem/,
    ],
  },
  {
    name: 'a slip in Cedar',
    make: add('policies/x.cedar', 'permit (principal, action, resource) when { context.chain.depth < { };\n'),
    argv: policies,
    code: 1,
    says: [/x\.cedar:1:\d+: unexpected token `;`, expected /, /\n +1 \| permit/, /\n +\| +\^/],
  },
  {
    name: 'a type that is not there',
    make: add(
      'policies/billing-team/x.cedar',
      'permit (principal in Grupo::"a", action, resource in Service::"billing-agent");\n',
    ),
    argv: policies,
    code: 1,
    says: [/x\.cedar:1:22: .*`Grupo` \(did you mean `Group`\?\)/],
  },
  {
    name: 'a service that the catalog lacks',
    make: add(
      'policies/billing-team/x.cedar',
      'permit (principal, action, resource in Service::"biling-agent");\n',
    ),
    argv: policies,
    code: 0,
    says: [
      /warning: .*x\.cedar:1: .*Service::"biling-agent": the catalog has no such service; did you mean `billing-agent`\?/,
    ],
  },
  {
    name: 'a SPIFFE ID with one slash',
    make: change(
      'policies/services.yaml',
      'spiffe://hospital.example/ns/billing/sa/agent-d',
      'spiffe:/hospital.example/x',
    ),
    argv: policies,
    code: 1,
    says: [
      /services\.yaml:\d+:\d+: service `insurance-agent`: `spiffeId`: .*expected the scheme `spiffe:\/\/`, found `spiffe:\/hospital/,
    ],
  },
  {
    name: 'a service twice',
    make: change('policies/services.yaml', '  - name: billing-agent', '  - name: insurance'),
    argv: policies,
    code: 1,
    says: [/services\.yaml:\d+: service `insurance`: another service has this name/, /\n1 problem/],
  },
  {
    name: 'an option in other letters',
    argv: ['policy', 'check', '--confg', 'x'],
    code: 2,
    says: [/unknown option '--confg'/, /Did you mean --config\?/, /usage: waywarden policy check/],
  },
  {
    name: 'a command in other letters',
    argv: ['polcy'],
    code: 2,
    says: [/unknown command 'polcy'/, /Did you mean policy\?/],
  },
  {
    name: 'a command of another tool',
    argv: ['policy', 'validate'],
    code: 2,
    says: [/unknown command 'validate'/, /known here: check, diff, /, /`waywarden policy --help`/],
  },
  {
    name: 'a missing argument',
    argv: ['why'],
    code: 2,
    says: [
      /missing required argument 'decision'/,
      /usage: waywarden why .*<decision>/,
      /waywarden-decision-id/,
    ],
  },
  {
    name: 'a file of another kind for the configuration',
    argv: ['config', 'check', '--config', '@policies/services.yaml'],
    code: 78,
    says: [/services\.yaml:1: `version`: missing; add it/, /`services`: unknown key; known here: version, /],
  },
  {
    name: 'a file in place of a directory',
    argv: ['policy', 'check', '@waywarden.yaml'],
    code: 1,
    says: [/waywarden\.yaml: the policy directory cannot be read: expected a directory, found a file/],
  },
  {
    name: 'PEM in place of a JWKS',
    make: add('idp-jwks.json', '-----BEGIN PUBLIC KEY-----\nabc\n-----END PUBLIC KEY-----\n'),
    argv: config,
    code: 78,
    says: [/idp-jwks\.json: JWKS: expected JSON, found PEM; write it as a JWK/],
  },
  {
    name: 'an empty audit directory',
    make: (directory) => void mkdirSync(join(directory, 'empty')),
    argv: ['audit', 'find', '@empty'],
    code: 1,
    says: [/none found: there is no record of a decision/],
  },
  {
    name: 'an empty audit directory to verify',
    make: (directory) => void mkdirSync(join(directory, 'empty')),
    argv: ['audit', 'verify', '@empty'],
    code: 1,
    says: [/empty`: there is no segment of a log/],
  },
  {
    name: 'a log that was cut off',
    async make(directory) {
      await writeLog(join(directory, 'log'), ['a-1', 'a-2'])
      const [segment = ''] = segmentsOf(join(directory, 'log'))
      truncateSync(segment, statSync(segment).size - 300)
    },
    argv: ['audit', 'verify', '@log'],
    code: 0,
    says: [/\d+ bytes of an unfinished line/, /only `--checkpoint` can show it/],
  },
  {
    name: 'an unknown decision',
    make: (directory) => writeLog(join(directory, 'log'), ['a-1']).then(() => {}),
    argv: ['why', '00000000-0000-4000-8000-000000000000', '--audit', '@log'],
    code: 1,
    says: [/no record of decision `00000000-0000-4000-8000-000000000000`; name every replica's log/],
  },
]

describe('cli, the mistakes of a first day', function () {
  this.timeout(60_000)
  for (const { name, make, argv, code, says } of mistakes) {
    it(`says what, where and what to do about ${name}`, async () => {
      const directory = temporaryDirectory()
      await writeTestFiles(directory)
      writeFileSync(join(directory, 'waywarden.yaml'), settings)
      await make?.(directory)
      const ended = await run(
        argv.map((part) => (part.startsWith('@') ? join(directory, part.slice(1)) : part)),
      )
      const said = `${ended.out}\n${ended.err}`
      for (const pattern of says) expect(said).to.match(pattern)
      expect(ended.code).to.equal(code)
    })
  }
})
