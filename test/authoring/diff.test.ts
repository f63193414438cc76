import { expect } from 'chai'
import { toRecord } from '../../src/audit/format/to-record.ts'
import { createDiff, type PolicyDiff } from '../../src/authoring/diff.ts'
import { parseTestFile } from '../../src/authoring/tests/test-file.ts'
import { deny } from '../../src/base/model/decision.ts'
import { isProblems } from '../../src/base/model/problems.ts'
import type { Revision } from '../../src/policy/revision/revision.ts'
import { toPolicyFiles } from '../../src/policy/source/policy-files.ts'
import { deniedParts } from '../support/decision.ts'
import { uris } from '../support/hospital.ts'
import { hospitalRevision, mustLoad } from '../support/policy-files.ts'

const file = 'records-team/patient-records.cedar'

describe('authoring/diff', () => {
  let sample: Revision
  before(async () => {
    sample = await hospitalRevision()
  })

  /** The sample with another text of the records' policies. */
  function changed(edit: (text: string) => string, name = file): Revision {
    const text = edit(sample.files.get(name) ?? '')
    return mustLoad(toPolicyFiles(new Map([...sample.files, [name, text]])))
  }

  const forAll = (text: string) =>
    `${text.slice(0, text.indexOf('// Whatever'))}@id("all") @blanket("test") permit (principal, action, resource in Service::"patient-records");`

  function compare(b: Revision, records = 1): PolicyDiff {
    const diff = createDiff(sample, b)
    for (let number = 0; number < records; number++)
      diff.addRecord(toRecord(deniedParts(`decision-${number}`)))
    return diff.result()
  }

  it('finds nothing between a revision and itself', () => {
    expect(compare(sample)).to.deep.equal({ changes: [], judged: { records: 1, tests: 0 }, passedOver: 0 })
  })

  it('counts recorded requests of one kind together, with an example', () => {
    const { changes } = compare(changed(forAll), 3)
    expect(changes).to.have.length(1)
    expect(changes[0]).to.deep.include({
      service: 'patient-records',
      action: 'read-record',
      records: 3,
      tests: 0,
      example: 'decision-0',
    })
    expect(changes[0]?.before).to.deep.include({
      decision: 'policy_denied',
      deniedBy: ['caller', `delegator ${uris.agentA}`, 'subject'],
    })
    expect(changes[0]?.after.decision).to.equal('allow')
  })

  it('finds a refusal by fewer', () => {
    const without = changed((text) => text.slice(0, text.indexOf('// Whatever')))
    expect(compare(without).changes).to.deep.equal([])
    const others = changed((text) =>
      text
        .replace('Group::"hospital/clinicians",', 'Group::"hospital/billing",')
        .slice(0, text.indexOf('// Whatever')),
    )
    expect(compare(others).changes[0]?.after.deniedBy).to.deep.equal(['caller', `delegator ${uris.agentA}`])
  })

  it('finds the request anew when the catalog has changed', () => {
    const moved = changed(
      (text) => text.replace('GET /patients/{patientId}', 'GET /people/{patientId}'),
      'services.yaml',
    )
    expect(compare(moved).changes[0]?.after.decision).to.equal('route_unknown')
  })

  it('passes over records that never came to the policies', () => {
    const diff = createDiff(sample, changed(forAll))
    diff.addRecord(toRecord({ ...deniedParts(), chain: undefined, decision: deny('chain_expired', '') }))
    expect(diff.result()).to.deep.include({ changes: [], passedOver: 1 })
  })

  it('judges tests by both, and shows first what opens', () => {
    const who = 'chain: {subject: hospital/clerk, groups: [billing]}'
    const tests = parseTestFile(
      'tests/a.yaml',
      `tests:
  - {name: read, caller: spiffe://hospital.example/ns/clinic/sa/agent-r, ${who}, request: {service: patient-records, method: GET, path: /patients/1}, expect: {decision: deny}}
  - {name: check, caller: spiffe://hospital.example/ns/billing/sa/agent-d, ${who}, request: {service: insurance, method: GET, path: /coverage/1}, expect: {decision: allow}}
`,
    )
    if (isProblems(tests)) throw new TypeError(JSON.stringify(tests))
    const text = forAll(sample.files.get(file) ?? '')
    const files = new Map([...sample.files, [file, text], ['insurance-team/insurance.cedar', '']])
    const diff = createDiff(sample, mustLoad(toPolicyFiles(files)))
    for (const test of [...tests].reverse()) diff.addTest(test)
    expect(diff.result().changes.map(({ example, tests: count }) => [example, count])).to.deep.equal([
      ['read', 1],
      ['check', 1],
    ])
  })
})
