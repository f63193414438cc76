import { expect } from 'chai'
import type { Comparison } from '../../src/explain/shadow.ts'
import { createShadowTally } from '../../src/explain/shadow-tally.ts'

const allow = { decision: 'allow', deniedBy: [], policies: ['a.cedar#all'] } as const
const denied = { decision: 'policy_denied', deniedBy: ['subject'], policies: [] } as const
const same: Comparison = {
  service: 'records',
  action: 'read-it',
  caller: 'agent-d',
  before: allow,
  after: allow,
  isSame: true,
}
const closed: Comparison = { ...same, after: denied, isSame: false }
const judged = (decisionId: string, nowMs = 0, shadow = 'new') => ({ decisionId, nowMs, live: 'old', shadow })

describe('explain/shadow-tally', () => {
  it('counts what is the same, and keeps what differs by kind, with a few examples', () => {
    const tally = createShadowTally()
    tally.add(same, judged('d-0', 1000))
    for (let number = 1; number <= 5; number++) tally.add(closed, judged(`d-${number}`, 1000 + number))
    tally.add({ ...closed, caller: 'agent-a' }, judged('d-6', 2000))
    tally.drop(1)
    const { isSame: _no, ...kind } = closed
    expect(tally.take()).to.deep.equal([
      {
        version: 1,
        kind: 'shadow',
        since: '1970-01-01T00:00:01.000Z',
        until: '1970-01-01T00:00:02.000Z',
        live: 'old',
        shadow: 'new',
        judged: 7,
        dropped: 1,
        differences: [
          { ...kind, count: 5, examples: ['d-1', 'd-2', 'd-3'] },
          { ...kind, caller: 'agent-a', count: 1, examples: ['d-6'] },
        ],
        cut: 0,
      },
    ])
    expect(tally.take()).to.deep.equal([])
  })

  it('tells pairs of revisions apart', () => {
    const tally = createShadowTally()
    tally.drop(1)
    tally.add(same, judged('d-0'))
    tally.add(same, judged('d-1', 0, 'newer'))
    const counts = tally.take().map(({ shadow, judged: count, dropped }) => [shadow, count, dropped])
    expect(counts).to.deep.equal([
      ['new', 1, 1],
      ['newer', 1, 0],
    ])
  })

  it('stays small whatever callers are called, and whatever policies refuse', () => {
    const tally = createShadowTally()
    const policies = Array.from({ length: 1000 }, (_, index) => `a.cedar#${index}`)
    const after = { ...denied, policies }
    for (let number = 0; number < 300; number++)
      tally.add({ ...closed, after, caller: `agent-${number}` }, judged(`d-${number}`))
    const [meta] = tally.take()
    expect([meta?.judged, meta?.differences.length, meta?.cut]).to.deep.equal([300, 200, 100])
    expect(meta?.differences[0]?.after.policies).to.have.length(20)
  })
})
