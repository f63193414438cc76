import { expect } from 'chai'
import { checkRepository, runOwnTests } from '../../../src/authoring/tests/own-tests.ts'
import { problemsOf } from '../../support/forge.ts'
import { mustLoad, policyFiles, workload } from '../../support/policy-files.ts'

/** Two tests; the second stands on line 3. */
function tests(decision: string): ReadonlyMap<string, string> {
  const asked = `caller: ${workload('a')}, chain: {subject: hospital/clerk}, request: {service: records, method: GET, path: /patients/1}`
  const rows = ['allow', decision].map(
    (expected, index) => `- {name: t${index}, ${asked}, expect: {decision: ${expected}}}`,
  )
  return new Map([['tests/a.yaml', `tests:\n${rows.join('\n')}\n`]])
}

describe('authoring/tests/own-tests', () => {
  it('counts the tests of a revision that passes them', () => {
    expect(runOwnTests(tests('allow'), mustLoad(policyFiles()))).to.deep.equal({ count: 2, problems: [] })
    expect(runOwnTests(new Map(), mustLoad(policyFiles()))).to.deep.equal({ count: 0, problems: [] })
  })

  it('says which test fails, where, what it expected and what it found', () => {
    const { problems } = runOwnTests(tests('deny'), mustLoad(policyFiles()))
    const message = 'test `t1`: decision: expected deny, found allow'
    expect(problems).to.deep.equal([{ file: 'tests/a.yaml', line: 3, message }])
  })

  it('says why what a test asks for is refused', () => {
    const text = `tests:
- {name: typo, caller: ${workload('a')}, chain: {subject: hospital/clerk}, request: {service: record, method: GET, path: /patients/1}, expect: {decision: allow, policies: [a]}}
`
    const { problems } = runOwnTests(new Map([['tests/a.yaml', text]]), mustLoad(policyFiles()))
    expect(problems.map(({ message }) => message)).to.deep.equal([
      'test `typo`: decision: expected allow, found deny; policies: expected a, found none (service_unknown: the catalog has no service `record`, or several; did you mean `records`?)',
    ])
  })

  const poisons: readonly { readonly name: string; readonly text: string; readonly line: number }[] = [
    { name: 'is no table of tests', text: 'tests: 7', line: 1 },
    { name: 'is no YAML', text: 'tests: [', line: 1 },
    { name: 'is nested beyond the stack', text: '['.repeat(5_000), line: 1 },
    { name: 'is nested by dashes', text: '- '.repeat(5_000), line: 1 },
    { name: 'multiplies by aliases', text: bomb(), line: 2 },
    { name: 'has as many faults as lines', text: `tests:\n${'- a\n'.repeat(10_000)}`, line: 2 },
    { name: 'has a key that no test knows', text: 'tests: []\nteste: []\n', line: 2 },
  ]
  for (const { name, text, line } of poisons) {
    it(`refuses a revision with a file of tests that ${name}`, () => {
      const { problems } = runOwnTests(new Map([['tests/b.yaml', text]]), mustLoad(policyFiles()))
      expect([problems[0]?.file, problems[0]?.line]).to.deep.equal(['tests/b.yaml', line])
    })
  }

  it('checks a repository whole: what it means, then what its tests say of it', () => {
    const source = { ...policyFiles(), tests: tests('allow') }
    expect(checkRepository(source)).to.have.property('tests', 2)
    expect(problemsOf(checkRepository({ ...source, tests: tests('deny') }))).to.have.length(1)
    const broken = { ...policyFiles({ 'team/a.cedar': 'permit (' }), tests: tests('deny') }
    expect(checkRepository(broken)).to.have.nested.property('problems[0].file', 'team/a.cedar')
  })
})

/** Nine keys, each nine times the one before. */
function bomb(): string {
  const letters = [...'abcdefghi']
  return letters
    .map(
      (letter, index) =>
        `${letter}: &${letter} [${Array(9).fill(index === 0 ? 'x' : `*${letters[index - 1]}`)}]\n`,
    )
    .join('')
}
