import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { run } from '../support/terminal.ts'

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

describe('cli/policy-test-cedar', () => {
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

  it('runs both formats, and finds files from the root of their repository', async () => {
    const files = ['--cedar', at('tests/multi/1.json'), at('tests/run.json')]
    const policies = ['--cedar-policies', at('sample/a.cedar'), '--cedar-semantics']
    const { code, out } = await run(['policy', 'test', ...files, ...policies])
    expect(code).to.equal(0)
    expect(out)
      .to.include('anybody')
      .and.to.include('nobody')
      .and.to.match(/2 passed, 0 failed, 1 denied here/)
  })

  it('ends with 1 where ours denies for a forbid that failed, unless Cedar’s own answer is compared', async () => {
    const { code, out } = await run(['policy', 'test', '--json', '--cedar', at('tests/multi/1.json')])
    const { ok, failed, stricter } = JSON.parse(out)
    expect([code, ok, failed, stricter]).to.deep.equal([1, false, 1, 1])
  })

  const refused: readonly (readonly [name: string, file: string, ...more: string[]])[] = [
    ['a file that is not there', 'absent.json'],
    ['run-tests without policies', 'tests/run.json'],
    ['policies that are not there', 'tests/run.json', '--cedar-policies', 'absent.cedar'],
    ['what is no test', 'sample/entities.json'],
  ]
  for (const [name, file, ...more] of refused) {
    it(`ends with 1 for ${name}`, async () => {
      expect(await run(['policy', 'test', '--cedar', at(file), ...more])).to.include({ code: 1 })
    })
  }
})
