import { spawnSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const uid = (type: string, id: string) => ({ type, id })
const asked = {
  principal: uid('User', 'u'),
  action: uid('Action', 'view'),
  resource: uid('Photo', 'p'),
  context: {},
}
const integration = {
  policies: 'sample/a.cedar',
  entities: 'sample/entities.json',
  requests: [
    { ...asked, description: 'anybody', decision: 'allow', reason: ['policy0'], errors: ['policy1'] },
  ],
}
const runTests = [
  {
    name: 'nobody',
    request: { principal: 'User::"u"', action: 'Action::"edit"', resource: 'Photo::"p"', context: {} },
    entities: [],
    decision: 'deny',
    reason: [],
  },
]

/** `npm run test:cedar -- …`, without npm. */
function run(argv: readonly string[]) {
  const { status, stdout } = spawnSync(
    process.execPath,
    ['--import', 'tsx', 'scripts/test-cedar.ts', ...argv],
    {
      encoding: 'utf8',
    },
  )
  return { code: status, out: stdout }
}

describe('scripts/test-cedar', function () {
  this.timeout(120_000)
  let directory: string
  const at = (name: string) => join(directory, name)
  before(async () => {
    directory = temporaryDirectory()
    await mkdir(at('tests/multi'), { recursive: true })
    await mkdir(at('sample'))
    const policies =
      'permit (principal, action == Action::"view", resource);\nforbid (principal, action == Action::"view", resource) when { context.missing };\n'
    await writeFile(at('sample/a.cedar'), policies)
    await writeFile(at('sample/entities.json'), '[]')
    await writeFile(at('tests/multi/1.json'), JSON.stringify(integration))
    await writeFile(at('tests/run.json'), JSON.stringify(runTests))
  })

  it('runs both formats, and finds files from the root of their repository', () => {
    const files = [at('tests/multi/1.json'), at('tests/run.json')]
    const policies = ['--policies', at('sample/a.cedar'), '--cedar-semantics']
    const { code, out } = run([...files, ...policies])
    expect(code).to.equal(0)
    expect(out)
      .to.include('anybody')
      .and.to.include('nobody')
      .and.to.match(/2 passed, 0 failed\n1 denied here/)
  })

  it('ends with 1 where ours denies for a forbid that failed, unless Cedar’s own answer is compared', () => {
    const { code, out } = run([at('tests/multi/1.json')])
    expect(code).to.equal(1)
    expect(out).to.match(/0 passed, 1 failed\n1 denied here/)
  })

  const refused: readonly (readonly [name: string, file: string, ...more: string[]])[] = [
    ['a file that is not there', 'absent.json'],
    ['run-tests without policies', 'tests/run.json'],
    ['policies that are not there', 'tests/run.json', '--policies', 'absent.cedar'],
    ['what is no test', 'sample/entities.json'],
  ]
  for (const [name, file, ...more] of refused) {
    it(`ends with 1 for ${name}`, () => {
      expect(run([at(file), ...more])).to.include({ code: 1 })
    })
  }
})
