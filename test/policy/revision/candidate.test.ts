import { existsSync } from 'node:fs'
import { expect } from 'chai'
import { candidateEntry } from '../../../src/authoring/tests/candidate-entry.ts'
import { proveCandidate, proveHere } from '../../../src/policy/revision/candidate.ts'
import { assembleRevision } from '../../../src/policy/revision/load.ts'
import { rehearse } from '../../../src/policy/revision/rehearsal.ts'
import { hostileFiles } from '../../support/hostile-files.ts'
import { largeRepository } from '../../support/large-repository.ts'
import { mustLoad, policyFiles } from '../../support/policy-files.ts'

const fixture = (name: string) => new URL(`../../support/${name}`, import.meta.url)

describe('policy/revision/candidate', function () {
  // A thread of its own has the lowest priority, and reads TypeScript first.
  this.timeout(60_000)

  it('brings back from its thread what loading here would make, however much there is', async () => {
    const source = largeRepository(820, 1100)
    const there = await proveCandidate(source, { hopLifetimeMs: 60_000 }, candidateEntry)
    const here = proveHere(source, { hopLifetimeMs: 60_000 })
    if (!('parts' in there) || !('parts' in here)) throw new TypeError('expected revisions')
    // It comes in another kind of map.
    const entities = new Map(there.parts.entities)
    expect({ ...there, parts: { ...there.parts, entities } }).to.deep.equal(here)
    expect(entities).to.have.property('size', 1100)
    expect(assembleRevision(there.parts).policies).to.have.length(820)
  })

  it('brings back every problem', async () => {
    const source = policyFiles({ 'team/a.cedar': 'permit (', 'services.yaml': 'services: 1\n' })
    const there = await proveCandidate(source, {}, candidateEntry)
    expect(there)
      .to.deep.equal(proveHere(source, {}))
      .and.have.property('problems')
      .with.length.greaterThan(1)
  })

  it('brings back what would overflow the engine, with its file and line', async () => {
    const [{ file, text, line } = { file: '', text: '', line: 0 }] = hostileFiles
    const problems = await proveCandidate(policyFiles({ [file]: text }), {}, candidateEntry)
    expect(problems).to.have.nested.property('problems[0].file', file)
    expect(problems).to.have.nested.property('problems[0].line', line)
  })

  it('brings back how many tests of its own a candidate passes, and what their files lack', async () => {
    const tests = (text: string) => ({ ...policyFiles(), tests: new Map([['tests/a.yaml', text]]) })
    expect(await proveCandidate(tests('tests: []'), {}, candidateEntry)).to.have.property('tests', 0)
    const problems = await proveCandidate(tests('['.repeat(5_000)), {}, candidateEntry)
    expect(problems).to.have.property('problems').with.length.within(1, 50)
    expect(problems).to.have.nested.property('problems[0].file', 'tests/a.yaml')
  })

  it('takes tests that do not end in time for a fault, which may be of the machine', async () => {
    const source = { ...policyFiles(), tests: new Map([['tests/a.yaml', 'tests: []']]) }
    const proven = await proveCandidate(source, {}, fixture('endless-worker.mjs'), { testingMs: 1 })
    expect(proven).to.have.property('kind', 'fault')
    expect(proven).to.have.property('reason').that.contains('own tests did not end')
  })

  for (const name of ['trapped-worker.mjs', 'silent-worker.mjs', 'no-such-worker.mjs']) {
    it(`takes a thread that dies for a fault: ${name}`, async () => {
      expect(existsSync(fixture(name))).to.equal(name !== 'no-such-worker.mjs')
      const serving = mustLoad(policyFiles())
      expect(await proveCandidate(policyFiles(), {}, fixture(name))).to.have.property('kind', 'fault')
      expect(rehearse(serving)).to.deep.equal([])
    })
  }
})
