import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect } from 'chai'
import { createCa } from '../../demo/ca.ts'
import { toNotices } from '../../src/base/follow/standing-texts.ts'
import type { Config } from '../../src/config/config.ts'
import { openDns } from '../../src/policy/catalog/dns-source.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { createReport } from '../../src/telemetry/report.ts'
import { startDnsServer } from '../support/dns-server.ts'
import { failCallsUnder } from '../support/failing-calls.ts'
import { chainNow, type RunningApp, startTestApp } from '../support/running-app.ts'
import { copyPolicies } from '../support/sample-policies.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

type Readyz = {
  readonly ready: boolean
  readonly reasons: readonly string[]
  readonly notices: readonly string[]
  readonly policy: { readonly revision?: string; readonly pinned?: string; readonly lastError?: string }
}

// Each candidate is proven in a thread of its own, which from source first compiles what it runs.
const patienceMs = 45_000
const followed = ['keys', 'issuer_keys', 'revocations', 'certificates', 'policies', 'shadow']
const paths = [
  'keys/active.jwk.json',
  'idp-jwks.json',
  'revocations.json',
  'server.crt',
  'policies',
  'beside',
]
const insurance = 'insurance-team/insurance.cedar'
const forbid = '@id("nobody") forbid (principal, action, resource in Service::"insurance");\n'

describe('app: while nothing can be read', function () {
  this.timeout(5 * patienceMs)

  it('decides by what it read last, says of each source what and since when, and takes up all that came meanwhile', async () => {
    const directory = temporaryDirectory()
    await using running = await startTestApp(directory, withShadowAndTls(directory), 20)
    await until(async () => (await readyz(running)).ready && (await notFollowed(running)).length === 0)
    const first = (await readyz(running)).policy.revision
    const held = { 'actor-chain': chainNow() }
    expect((await running.ask({ headers: held })).status).to.equal(0)
    {
      using failing = failCallsUnder(directory)
      failing.failAll('EMFILE', /./)
      writeFileSync(join(directory, 'policies', insurance), forbid)
      writeFileSync(join(directory, 'beside', insurance), forbid)
      writeFileSync(
        join(directory, 'revocations.json'),
        '{"version":1,"entries":[{"txn":"one"},{"txn":"two"}]}',
      )
      for (const path of paths) {
        const told = new RegExp(`${path}.*EMFILE.*\\(since \\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\dZ\\)$`)
        await until(async () => (await notFollowed(running)).some((notice) => told.test(notice)))
      }
      const { ready, policy } = await readyz(running)
      expect([ready, policy.revision]).to.deep.equal([true, first])
      expect(policy.lastError).to.contain('EMFILE')
      expect((await running.ask({ headers: held })).status).to.equal(0)
      const metrics = await metricsOf(running)
      for (const what of followed) {
        expect(metrics).to.match(new RegExp(`^waywarden_reloads_failed_total\\{what="${what}"\\} [1-9]`, 'm'))
        expect(metrics).to.contain(`waywarden_sources_failing{what="${what}"} 1\n`)
        expect(metrics).to.contain(`waywarden_reloads_refused_total{what="${what}"} 0`)
      }
    }
    await until(async () => (await readyz(running)).policy.revision !== first)
    await until(async () => (await notFollowed(running)).length === 0)
    expect((await running.ask({ headers: held })).body).to.include({ code: 'policy_denied' })
    const metrics = await metricsOf(running)
    expect(metrics).to.match(/^waywarden_revocations 2$/m)
    for (const what of followed) expect(metrics).to.contain(`waywarden_sources_failing{what="${what}"} 0\n`)
  })

  it('serves nothing when it starts with a pin that it cannot read, says why, and serves when it can', async () => {
    const directory = temporaryDirectory()
    copyPolicies(join(directory, 'policies'))
    writeFileSync(join(directory, 'policies/PIN'), 'f'.repeat(32))
    using failing = failCallsUnder(directory)
    failing.failAll('EACCES', /PIN$/)
    await using running = await startTestApp(directory, undefined, 20)
    const { ready, reasons } = await readyz(running)
    expect(ready).to.equal(false)
    expect(reasons.join()).to.match(/no policy revision serves.*PIN.*EACCES/)
    expect((await running.ask({})).body).to.include({ code: 'policy_unavailable' })
    rmSync(join(directory, 'policies/PIN'))
    failing.arm()
    await until(async () => (await readyz(running)).ready)
  })
})

describe('app: while names cannot be looked up', () => {
  it('says so, and counts', async () => {
    await using server = await startDnsServer()
    server.answers.set('records.svc', ['10.0.0.1'])
    const metrics = createMetrics(() => true)
    const lines: string[] = []
    const logger = createLogger('info', () => {}, { write: (line: string) => lines.push(line) })
    await using dns = await openDns({
      names: () => ['records.svc'],
      onChange: () => {},
      report: createReport(logger, metrics),
      pollMs: 3_600_000,
      nowMs: () => Date.UTC(2026, 10, 5, 7, 30, 15),
      servers: [`127.0.0.1:${server.port}`],
    })
    const notices = () => dns.poller.standing.flatMap(toNotices)
    expect(notices()).to.deep.equal([])
    server.answers.set('records.svc', 'servfail')
    await dns.refresh()
    await dns.refresh()
    expect(notices()).to.deep.equal([
      'not followed: `records.svc` cannot be looked up: A ESERVFAIL, AAAA ESERVFAIL (since 2026-11-05T07:30Z)',
    ])
    const text = await metrics.toText()
    expect(text).to.contain('waywarden_reloads_failed_total{what="names"} 2')
    expect(text).to.contain('waywarden_sources_failing{what="names"} 1')
    expect(lines.filter((line) => line.includes('source not followed'))).to.have.length(1)
  })
})

/** A second policy directory that judges beside the first, and certificates on the listener, of which clients show none. */
function withShadowAndTls(directory: string): (config: Config) => Config {
  copyPolicies(join(directory, 'beside'))
  const ca = createCa(directory, 'hospital.example')
  const { chain: cert, key } = ca.issue('server', ['spiffe://hospital.example/ns/waywarden/sa/server'])
  const shadow = { directory: join(directory, 'beside'), git: undefined, sample: 1, perSecond: 1 }
  return (config) => {
    const [listener] = config.listeners
    if (listener === undefined) throw new TypeError('expected a listener')
    const tls = { cert, key, clientCa: undefined }
    return {
      ...config,
      listeners: [listener, { ...listener, tls }],
      policy: { ...config.policy, shadow },
    }
  }
}

async function readyz({ app }: RunningApp): Promise<Readyz> {
  return (await (await fetch(`http://${app.addresses.admin}/readyz`)).json()) as Readyz
}

async function notFollowed(running: RunningApp): Promise<readonly string[]> {
  return (await readyz(running)).notices.filter((notice) => /not (?:followed|in force)/.test(notice))
}

async function metricsOf({ app }: RunningApp): Promise<string> {
  return (await fetch(`http://${app.addresses.admin}/metrics`)).text()
}

/** Waits for what a look at the sources brings. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  const endMs = Date.now() + patienceMs
  while (!(await isSo())) {
    if (Date.now() > endMs) throw new RangeError(`not within ${patienceMs} ms: ${isSo}`)
    await wait(20)
  }
}
