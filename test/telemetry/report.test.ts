import { expect } from 'chai'
import type { Event, Report } from '../../src/base/model/event.ts'
import { createLogger, type LogLevel } from '../../src/telemetry/logger.ts'
import { createMetrics, type Metrics } from '../../src/telemetry/metrics.ts'
import { createReport } from '../../src/telemetry/report.ts'
import { secrets } from '../support/decision.ts'

const denied: Event = {
  kind: 'checked',
  decisionId: 'decision-1',
  outcome: 'deny',
  code: 'policy_denied',
  service: 'patient-records',
  action: 'read-record',
  token: undefined,
  durationSeconds: 0.0004,
  failedPolicies: 0,
}
const allowed: Event = { ...denied, outcome: 'allow', code: undefined, durationSeconds: 0.00002 }

describe('telemetry/report', () => {
  let output: string
  let metrics: Metrics
  beforeEach(() => {
    output = ''
    metrics = createMetrics(() => true)
  })

  it('logs a denial with its code and decision id, and not an allow', () => {
    const report = create('info')
    report(denied)
    report(allowed)
    expect(logged()).to.have.length(1)
    expect(logged()[0]).to.include({ decisionId: 'decision-1', code: 'policy_denied', msg: 'denied' })
  })

  it('warns of weaknesses and of keys that are not used, each with its reason, and counts the keys', async () => {
    const report = create('info')
    report({ kind: 'config_warned', warnings: ['no `userClaim`'] })
    report({ kind: 'issuer_keys_checked', issuer: 'hospital', unusable: ['key 1 `a`: weak'] })
    expect(logged()[0]).to.deep.include({ level: 40, warnings: ['no `userClaim`'] })
    expect(logged()[1]).to.deep.include({ level: 40, issuer: 'hospital', keys: ['key 1 `a`: weak'] })
    expect(await metrics.toText()).to.contain('waywarden_issuer_keys_unusable{issuer="hospital"} 1')
    report({ kind: 'issuer_keys_checked', issuer: 'hospital', unusable: [] })
    expect(logged()).to.have.length(2)
    expect(await metrics.toText()).to.contain('waywarden_issuer_keys_unusable{issuer="hospital"} 0')
  })

  it('logs an allow at debug', () => {
    create('debug')(allowed)
    expect(logged()[0]).to.include({ decisionId: 'decision-1', msg: 'allowed' })
  })

  it('counts policies that failed', async () => {
    const report = create('info')
    report({ ...allowed, failedPolicies: 2 })
    report({ ...denied, failedPolicies: 1 })
    expect(await metrics.toText()).to.include('\nwaywarden_policy_errors_total 3\n')
  })

  it('counts checks by outcome and code, and their duration', async () => {
    const report = create('error')
    for (const event of [denied, denied, allowed]) report(event)
    const text = await metrics.toText()
    expect(text).to.contain('waywarden_checks_total{outcome="deny",code="policy_denied"} 2')
    expect(text).to.contain('waywarden_checks_total{outcome="allow",code=""} 1')
    expect(text).to.contain('waywarden_check_duration_seconds_bucket{le="0.000025",outcome="allow"} 1')
    expect(text).to.contain('waywarden_check_duration_seconds_count{outcome="deny"} 2')
  })

  it('counts why connections end, from 0', async () => {
    expect(await metrics.toText()).to.contain('waywarden_connections_ended_total{why="stalled"} 0')
    create('debug')({ kind: 'connection_ended', why: 'stalled' })
    expect(logged()).to.deep.equal([])
    expect(await metrics.toText()).to.contain('waywarden_connections_ended_total{why="stalled"} 1')
  })

  it('counts the connections that no worker takes, without a line for each', async () => {
    const report = create('debug')
    report({ kind: 'connection_dropped', why: 'no_worker' })
    report({ kind: 'connection_dropped', why: 'backlog' })
    report({ kind: 'connection_dropped', why: 'backlog' })
    expect(logged()).to.deep.equal([])
    const text = await metrics.toText()
    expect(text).to.contain('waywarden_worker_connections_dropped_total{why="no_worker"} 1')
    expect(text).to.contain('waywarden_worker_connections_dropped_total{why="backlog"} 2')
  })

  it('counts what is shed, without a line for each', async () => {
    create('debug')({ kind: 'shed', durationSeconds: 0.00001 })
    expect(logged()).to.deep.equal([])
    expect(await metrics.toText()).to.contain('waywarden_checks_total{outcome="deny",code="overloaded"} 1')
  })

  it('has no label with ids, services or paths', async () => {
    const report = create('error')
    for (let index = 0; index < 1000; index++) {
      report({ ...denied, decisionId: `d-${index}`, service: `s-${index}`, action: `a-${index}` })
    }
    const samples = (await metrics.toText())
      .split('\n')
      .filter((line) => line.startsWith('waywarden_checks_total{'))
    expect(samples).to.have.length(1)
  })

  it('tells of a fault with its causes, and nothing else that an error carries', async () => {
    const cause = Object.assign(new Error('inner'), { code: 'EIO', request: { authorization: secrets[1] } })
    create('info')({ kind: 'fault', where: 'audit', cause: new Error('outer', { cause }) })
    expect(logged()[0]?.['cause']).to.deep.include({ message: 'outer' })
    expect(output).to.contain('"EIO"').and.not.to.contain(secrets[1])
    expect(await metrics.toText()).to.contain('waywarden_faults_total{where="audit"} 1')
  })

  it('survives causes that are no errors, or that cause themselves', () => {
    const loop = new Error('loop')
    loop.cause = loop
    const report = create('info')
    for (const cause of [undefined, null, 'text', 42, loop]) report({ kind: 'fault', where: 'x', cause })
    expect(logged()).to.have.length(5)
  })

  it('writes one line that no terminal obeys for every event', () => {
    const hostile = 'a\nb\u001b[31m\u2028\u0085\u202e'
    const report = create('debug')
    report({ kind: 'fault', where: 'x', cause: new Error(hostile) })
    report({ ...denied, action: hostile })
    report({ kind: 'revision_refused', problems: [hostile] })
    expect(logged()).to.have.length(3)
    expect(output).not.to.match(/[^\P{Cc}\n]|[\p{Zl}\p{Zp}\u202e]/u)
  })

  it('shows which revision is served, what was refused and what is revoked', async () => {
    const report = create('info')
    report({ kind: 'revision_served', policyRevision: 'aaa', policies: 3, services: 2 })
    report({ kind: 'revision_served', policyRevision: 'bbb', policies: 7, services: 5 })
    report({ kind: 'revision_refused', problems: Array.from({ length: 100 }, () => 'x'.repeat(5000)) })
    report({ kind: 'source_loaded', what: 'revocations', names: [], entries: 4 })
    report({ kind: 'source_refused', what: 'revocations', problems: ['bad'] })
    report({ kind: 'listening', what: 'admin', address: '127.0.0.1:1' })
    report({ kind: 'draining', signal: 'SIGTERM' })
    const text = await metrics.toText()
    expect(text).to.contain('waywarden_policy_revision_info{revision="bbb"} 1').and.not.to.contain('"aaa"')
    expect(text).to.contain('waywarden_policies 7').and.to.contain('waywarden_services 5')
    expect(text).to.contain('waywarden_revocations 4')
    expect(text).to.contain('waywarden_reloads_refused_total{what="revision"} 1')
    expect(text).to.contain('waywarden_reloads_refused_total{what="revocations"} 1')
    expect(output.length).to.be.lessThan(200_000)
  })

  it('counts every attempt to export, and logs news alone', async () => {
    const report = create('info')
    const where = { what: 'traces', endpoint: 'http://there/v1/traces' } as const
    report({ ...where, kind: 'export_failed', reason: 'ECONNREFUSED', isNews: true })
    report({ ...where, kind: 'export_failed', reason: 'ECONNREFUSED', isNews: false })
    report({ ...where, kind: 'export_lost', items: 7, loss: 'unreachable' })
    report({ ...where, kind: 'exported', items: 5, isNews: true })
    report({ ...where, kind: 'exported', items: 4, isNews: false })
    expect(logged().map(({ msg }) => msg)).to.deep.equal(['export failed', 'export works again'])
    const text = await metrics.toText()
    const labels = 'what="traces",endpoint="http://there/v1/traces"'
    expect(text).to.contain(`waywarden_export_items_total{${labels}} 9`)
    expect(text).to.contain(`waywarden_export_failures_total{${labels}} 2`)
    expect(text).to.contain(`waywarden_export_lost_total{${labels},loss="unreachable"} 7`)
  })

  it('counts what a shadow revision says, and names a difference at debug alone', async () => {
    const report = create('debug')
    const judged = { kind: 'shadow_judged', decisionId: 'd-1', service: 's', action: 'a' } as const
    report({ kind: 'shadow_followed', policyRevision: 'aaa' })
    report({ kind: 'shadow_followed', policyRevision: 'bbb' })
    report({ kind: 'shadow_confirmed', confirmedAtMs: 1_790_000_000_000 })
    report({ ...judged, live: 'allow', shadow: 'allow', isSame: true })
    report({ ...judged, live: 'policy_denied', shadow: 'policy_denied', isSame: false })
    report({ kind: 'shadow_passed_over', why: 'dropped', count: 3 })
    const text = await metrics.toText()
    for (const sample of [
      'waywarden_shadow_revision_info{revision="bbb"} 1',
      'waywarden_shadow_confirmed_timestamp_seconds 1790000000',
      'waywarden_shadow_checks_total{result="same"} 1',
      'waywarden_shadow_checks_total{result="different"} 1',
      'waywarden_shadow_checks_total{result="dropped"} 3',
      'waywarden_shadow_differences_total{live="policy_denied",shadow="policy_denied"} 1',
    ])
      expect(text).to.contain(sample)
    expect(text).not.to.contain('revision="aaa"')
    const messages = logged().map(({ msg }) => msg)
    expect(messages).to.deep.equal(['shadow revision judges', 'shadow revision judges', 'shadow differs'])
  })

  it('never throws, and counts what it could not tell', async () => {
    const report = createReport(
      createLogger('debug', () => {}, {
        write: () => {
          throw new Error('the sink failed')
        },
      }),
      metrics,
    )
    report(denied)
    report({ ...allowed, durationSeconds: Number.NaN })
    expect(await metrics.toText()).to.contain('waywarden_log_lines_dropped_total 2')
  })

  function create(level: LogLevel): Report {
    const sink = {
      write: (line: string) => {
        output += line
      },
    }
    return createReport(
      createLogger(level, () => {}, sink),
      metrics,
    )
  }

  function logged(): Record<string, unknown>[] {
    return output
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  }
})
