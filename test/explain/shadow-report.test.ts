import { expect } from 'chai'
import type { ShadowDifference, ShadowLine } from '../../src/audit/format/shadow-line.ts'
import { createShadowReport } from '../../src/explain/shadow-report.ts'

const allow = { decision: 'allow', deniedBy: [], policies: [] } as const
const denied = { decision: 'policy_denied', deniedBy: ['subject'], policies: [] } as const
const closed: ShadowDifference = {
  service: 'records',
  action: 'read-it',
  caller: 'agent-d',
  before: allow,
  after: denied,
  count: 2,
  examples: ['d-1', 'd-2'],
}
const meta: ShadowLine = {
  version: 1,
  kind: 'shadow',
  since: '2027-01-01T00:00:00.000Z',
  until: '2027-01-01T00:01:00.000Z',
  live: 'old',
  shadow: 'new',
  judged: 10,
  dropped: 1,
  differences: [closed],
  cut: 3,
}

describe('explain/shadow-report', () => {
  it('adds up the metaLines of one pair of revisions, whichever replica wrote them', () => {
    const report = createShadowReport()
    const earlier = { since: '2026-12-31T23:59:00.000Z', until: '2027-01-01T00:00:30.000Z' }
    const opened = { ...closed, before: denied, after: allow, count: 1 }
    report.add(meta)
    report.add({ ...meta, ...earlier, differences: [closed, opened] })
    expect(report.summaries()).to.deep.equal([
      {
        since: earlier.since,
        until: meta.until,
        live: 'old',
        shadow: 'new',
        judged: 20,
        dropped: 2,
        differences: [opened, { ...closed, count: 4, examples: ['d-1', 'd-2', 'd-1'] }],
        cut: 6,
      },
    ])
  })

  it('tells pairs of revisions apart, the latest first', () => {
    const report = createShadowReport()
    report.add(meta)
    report.add({ ...meta, shadow: 'newer', until: '2027-01-02T00:00:00.000Z', differences: [] })
    const found = report.summaries().map(({ shadow, differences }) => [shadow, differences.length])
    expect(found).to.deep.equal([
      ['newer', 0],
      ['new', 1],
    ])
  })

  it('counts what is too much to list', () => {
    const report = createShadowReport()
    for (let number = 0; number < 5001; number++)
      report.add({ ...meta, cut: 0, differences: [{ ...closed, caller: `agent-${number}` }] })
    expect(report.summaries()[0]).to.include({ cut: 2 })
    expect(report.summaries()[0]?.differences).to.have.length(5000)
  })
})
