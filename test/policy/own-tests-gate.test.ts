import { expect } from 'chai'
import { candidateEntry } from '../../src/authoring/tests/candidate-entry.ts'
import type { Event } from '../../src/base/model/event.ts'
import { openRevisionSource } from '../../src/policy/revision/revision-source.ts'
import type { PolicyFiles } from '../../src/policy/source/policy-files.ts'
import { hospital } from '../support/identities.ts'
import { policyFiles } from '../support/policy-files.ts'
import { createScript, found } from '../support/scripted-source.ts'

function withTests(files: PolicyFiles, text: string): PolicyFiles {
  return { ...files, tests: new Map([['tests/a.yaml', text]]) }
}

/** One test on line 2: agent D reads a record for the clerk. */
function expecting(decision: 'allow' | 'deny'): string {
  const who = `caller: ${hospital.agentD.uri}, chain: {subject: hospital/clerk}`
  return `tests:\n- {name: one, ${who}, request: {service: records, method: GET, path: /patients/42}, expect: {decision: ${decision}}}\n`
}

describe('policy/revision/revision-source, by the own tests of what it serves', () => {
  // Each proof is a thread that begins anew.
  let script: ReturnType<typeof createScript>
  const events: Event[] = []
  beforeEach(() => {
    script = createScript()
    events.length = 0
  })
  const openScript = (runsTests = true) =>
    openRevisionSource({
      source: script,
      load: {},
      prover: candidateEntry,
      runsTests,
      maxStalenessMs: undefined,
      keep: async () => {},
      onServed: () => {},
      report: (event) => events.push(event),
      nowMs: () => 1_000_000,
    })
  const tested = () =>
    events.flatMap((event) =>
      event.kind === 'revision_tested' ? [[event.policyRevision, event.tests] as const] : [],
    )

  it('serves what passes its own tests, from the first revision on, and says how many there are', async () => {
    script.says = found(withTests(policyFiles(), expecting('allow')))
    await using source = await openScript()
    await source.refresh()
    expect(source.current?.id).to.equal(policyFiles().id)
    expect(tested()).to.deep.equal([[policyFiles().id, 1]])
  })

  it('refuses what fails its own tests, by file and line, until they are mended, alone or with the policies', async () => {
    const second = policyFiles({ 'team/b.cedar': 'forbid (principal, action, resource);\n' })
    script.says = found(policyFiles())
    await using source = await openScript()
    script.says = found(withTests(second, expecting('allow')))
    await source.refresh()
    await source.refresh()
    expect(source.current?.id).to.equal(policyFiles().id)
    expect(source.problems).to.have.length(1)
    expect(source.problems[0]).to.match(
      /^tests\/a\.yaml:2: test `one`: .*expected allow, found deny \(policy_denied: .*\)$/,
    )
    expect(events.filter(({ kind }) => kind === 'revision_refused')).to.have.length(1)
    script.says = found(withTests(second, expecting('deny')))
    await source.refresh()
    expect([source.current?.id, source.problems]).to.deep.equal([second.id, []])
  })

  it('says of what serves that its new tests fail, and serves it on', async () => {
    script.says = found(policyFiles())
    await using source = await openScript()
    script.says = found(withTests(policyFiles(), expecting('deny')))
    await source.refresh()
    expect([source.current?.id, source.problems.length]).to.deep.equal([policyFiles().id, 1])
    script.says = found(withTests(policyFiles(), expecting('allow')))
    await source.refresh()
    expect(source.problems).to.deep.equal([])
    expect(events.filter(({ kind }) => kind === 'revision_served')).to.have.length(1)
    expect(tested()).to.deep.equal([[policyFiles().id, 1]])
  })

  it('serves what is recalled before its tests have run, and runs them at the first look', async () => {
    script.recalls = { found: found(withTests(policyFiles(), expecting('deny'))), confirmedAtMs: 1_000_000 }
    script.says = script.recalls.found
    await using source = await openScript()
    await source.refresh()
    expect([source.current?.id, source.problems.length]).to.deep.equal([policyFiles().id, 1])
  })

  it('runs no tests when they are ignored', async () => {
    script.says = found(withTests(policyFiles(), expecting('deny')))
    await using source = await openScript(false)
    expect([source.current?.id, source.problems, tested()]).to.deep.equal([policyFiles().id, [], []])
  })
})
