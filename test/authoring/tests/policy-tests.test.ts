import { expect } from 'chai'
import { parseTests, runPolicyTests, type TestRun } from '../../../src/authoring/tests/policy-tests.ts'
import type { Revision } from '../../../src/policy/revision/revision.ts'
import { readPolicyDirectory } from '../../../src/policy/source/directory-source.ts'
import { problemsOf } from '../../support/forge.ts'
import { hospitalRevision } from '../../support/policy-files.ts'

const agentD = 'spiffe://hospital.example/ns/billing/sa/agent-d'

/** A test of one request that the hospital refuses: D reads a record for a clerk. */
function testFile(expectation: string): ReadonlyMap<string, string> {
  const who = `caller: ${agentD}, chain: {subject: hospital/clerk, groups: [billing]}`
  const what = 'request: {service: patient-records, method: GET, path: /patients/p-17}'
  return new Map([['tests/a.yaml', `tests: [{name: one, ${who}, ${what}, expect: ${expectation}}]`]])
}

describe('authoring/tests/policy-tests', () => {
  let sample: Revision
  before(async () => {
    sample = await hospitalRevision()
  })

  function run(files: ReadonlyMap<string, string>): TestRun {
    const ran = runPolicyTests(files, sample)
    if (!('results' in ran)) throw new TypeError(JSON.stringify(ran))
    return ran
  }

  it('passes the tests of the sample, which cover every policy', async () => {
    const source = await readPolicyDirectory('policies')
    const { results, failed, coverage } = run('tests' in source ? source.tests : new Map())
    expect(results).to.have.length.above(15)
    expect(failed).to.equal(0)
    expect(coverage).to.deep.include({ percent: 100, uncovered: [] })
  })

  const forbid = 'records-team/patient-records.cedar#clinicians-only'
  const expectations: readonly { readonly expect: string; readonly differs: readonly string[] }[] = [
    { expect: '{decision: deny}', differs: [] },
    { expect: '{decision: allow}', differs: ['decision'] },
    { expect: '{decision: deny, code: policy_denied}', differs: [] },
    { expect: '{decision: deny, code: policy_error}', differs: ['code'] },
    { expect: '{decision: deny, deniedBy: [caller, subject]}', differs: [] },
    { expect: '{decision: deny, deniedBy: [subject, caller]}', differs: ['deniedBy'] },
    { expect: '{decision: deny, deniedBy: [caller]}', differs: ['deniedBy'] },
    { expect: `{decision: deny, deniedBy: [{role: caller, principal: '${agentD}'}, subject]}`, differs: [] },
    { expect: '{decision: deny, deniedBy: [{role: caller, principal: x}, subject]}', differs: ['deniedBy'] },
    { expect: `{decision: deny, deniedBy: [caller, {role: subject, policies: ['${forbid}']}]}`, differs: [] },
    { expect: '{decision: deny, deniedBy: [caller, {role: subject, policies: []}]}', differs: ['deniedBy'] },
    { expect: `{decision: deny, policies: ['${forbid}']}`, differs: [] },
    { expect: '{decision: deny, policies: []}', differs: ['policies'] },
    {
      expect: '{decision: allow, code: policy_error, deniedBy: []}',
      differs: ['decision', 'code', 'deniedBy'],
    },
  ]
  for (const { expect: expectation, differs } of expectations) {
    it(`${expectation} differs in ${differs.join(', ') || 'nothing'}`, () => {
      const { results, failed } = run(testFile(expectation))
      expect(results[0]?.differences.map(({ field }) => field)).to.deep.equal(differs)
      expect(failed).to.equal(differs.length > 0 ? 1 : 0)
    })
  }

  it('names the policies that decided no test', () => {
    const { coverage } = run(testFile('{decision: deny}'))
    expect(coverage).to.include({ covered: 1, total: 10, percent: 10 })
    expect(coverage.uncovered.map(({ id }) => id)).to.not.include(forbid)
  })

  it('reports every file that cannot be read', () => {
    const tests = parseTests(
      new Map([
        ['tests/a.yaml', 'x: 1'],
        ['tests/b.yaml', ']'],
      ]),
    )
    expect(new Set(problemsOf(tests).map(({ file }) => file)).size).to.equal(2)
  })
})
