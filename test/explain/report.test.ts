import { expect } from 'chai'
import type { DecisionRecord } from '../../src/audit/format/record.ts'
import { createReport, type ObservationReport } from '../../src/explain/report.ts'
import { asked, observed } from '../support/observed.ts'

const startMs = 1_790_000_000_000
const refused = observed({ code: 'policy_denied', timeMs: startMs })

describe('explain/report', () => {
  it('counts would-be denials by code, service and caller', () => {
    const other = observed({ code: 'policy_denied', from: '/ns/clinic/sa/agent-r', timeMs: startMs + 1 })
    const scope = observed({ code: 'scope_missing', timeMs: startMs + 2 })
    const { denials, wouldBeDenied, decisions } = reportOf([refused, refused, other, scope, observed({})])
    expect(
      denials.map(({ code, service, agent, calls }) => [
        code,
        service,
        agent?.split('/').at(-1),
        calls.count,
      ]),
    ).to.deep.equal([
      ['policy_denied', 'patient-records', 'agent-d', 2],
      ['policy_denied', 'patient-records', 'agent-r', 1],
      ['scope_missing', 'patient-records', 'agent-d', 1],
    ])
    expect([wouldBeDenied, decisions?.count]).to.deep.equal([4, 5])
  })

  it('names the service of a request that was refused before it was looked up, by others to its address', () => {
    const early = observed({ code: 'chain_expired', chain: undefined, target: undefined })
    expect(reportOf([early, refused]).denials.map(({ service }) => service)).to.deep.equal([
      'patient-records',
      'patient-records',
    ])
    expect(reportOf([early]).denials.map(({ service }) => service)).to.deep.equal(['10.96.0.11:8080'])
  })

  it('has a line for a request of which nothing is known', () => {
    const nothing = { code: 'request_malformed', input: undefined, caller: undefined } as const
    const { denials } = reportOf([observed({ ...nothing, chain: undefined, target: undefined })])
    expect(denials.map(({ agent, calls }) => [agent, calls.count])).to.deep.equal([[undefined, 1]])
  })

  it('counts what was denied in earnest only when asked for', () => {
    const denied = observed({ code: 'policy_denied', isObserved: false })
    expect(reportOf([denied])).to.deep.include({ wouldBeDenied: 0, denied: 1, denials: [] })
    expect(reportOf([denied], { withDenied: true })).to.include({ wouldBeDenied: 1, denied: 0 })
  })

  it('passes over what was decided before', () => {
    const found = reportOf([refused], { sinceMs: startMs + 1 })
    expect(found).to.deep.include({ decisions: undefined, wouldBeDenied: 0, denials: [] })
    expect(reportOf([refused], { sinceMs: startMs })).to.include({ wouldBeDenied: 1 })
  })

  it('drafts a service under a name that the catalog does not have', () => {
    const unknown = observed({ code: 'service_unknown', target: undefined, input: asked({}) })
    const { services } = reportOf([unknown], {}, new Map([['orders', undefined]]))
    expect(services.map(({ draft }) => draft.name.value)).to.deep.equal(['orders-80'])
  })

  it('names the service that lacks a route', () => {
    const parts = { code: 'route_unknown', target: undefined } as const
    expect(reportOf([observed(parts), refused]).routes.map(({ service }) => service)).to.deep.equal([
      'patient-records',
    ])
  })

  it('holds no more than it may, however many names come, and says how much it cut', () => {
    const report = createReport({ sinceMs: 0, withDenied: false })
    for (let index = 0; index < 5003; index++) {
      report.add({ ...refused, caller: refused.caller && { ...refused.caller, id: `spiffe://a/${index}` } })
    }
    const { denials, wouldBeDenied, cut } = report.build(new Map())
    expect([denials.length, wouldBeDenied, cut.denials]).to.deep.equal([5000, 5003, 3])
  })
})

function reportOf(
  records: readonly DecisionRecord[],
  options: Partial<Parameters<typeof createReport>[0]> = {},
  owners: ReadonlyMap<string, string | undefined> = new Map(),
): ObservationReport {
  const report = createReport({ sinceMs: 0, withDenied: false, ...options })
  for (const record of records) report.add(record)
  return report.build(owners)
}
