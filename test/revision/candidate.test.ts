import { expect } from 'chai'
import { proveCandidate, proveHere } from '../../src/revision/candidate.ts'
import { assembleRevision } from '../../src/revision/load.ts'
import { rehearse } from '../../src/revision/rehearsal.ts'
import { largeRepository } from '../support/large-repository.ts'
import { mustLoad, policyFiles } from '../support/policy-files.ts'

const fixture = (name: string) => new URL(`../support/${name}`, import.meta.url)

describe('revision/candidate', () => {
  it('brings back from its thread what loading here would make, however many policies there are', async () => {
    const source = largeRepository(120)
    const there = await proveCandidate(source, { hopLifetimeMs: 60_000 })
    const here = proveHere(source, { hopLifetimeMs: 60_000 })
    expect(there).to.deep.equal(here)
    if (!('policies' in there)) throw new TypeError('expected a revision')
    expect(assembleRevision(there).policies).to.have.length(120)
  })

  it('brings back every problem', async () => {
    const source = policyFiles({ 'team/a.cedar': 'permit (', 'services.yaml': 'services: 1\n' })
    const there = await proveCandidate(source, {})
    expect(there).to.deep.equal(proveHere(source, {})).and.have.property('length').greaterThan(1)
  })

  for (const name of ['trapped-worker.mjs', 'silent-worker.mjs', 'no-such-worker.mjs']) {
    it(`refuses a candidate whose thread dies: ${name}`, async () => {
      const serving = mustLoad(policyFiles())
      expect(await proveCandidate(policyFiles(), {}, fixture(name))).to.have.length(1)
      expect(rehearse(serving)).to.deep.equal([])
    })
  }
})
