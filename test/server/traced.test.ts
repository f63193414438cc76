import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Config } from '../../src/config/config.ts'
import type { Tracing } from '../../src/config/tracing.ts'
import { spanAttributes } from '../../src/telemetry/span-attributes.ts'
import type { CheckResponseFields } from '../support/check-request.ts'
import { uris } from '../support/hospital.ts'
import { type OtlpReceiver, startOtlpReceiver } from '../support/otlp-receiver.ts'
import { chainNow, startTestApp, tokenNow } from '../support/running-app.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { checksOf, childrenOf, playChain, tracingTo } from '../support/traced-chain.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const spanId = '00f067aa0ba902b7'
const sampled = `00-${traceId}-${spanId}-01`
const story = [
  'allow ask on billing-agent',
  'allow ask on insurance-agent',
  'allow check-coverage on insurance',
  'deny read-record on patient-records',
]

type Played = { readonly receiver: OtlpReceiver; readonly answers: readonly CheckResponseFields[] }

/** Plays the chain, by default within one Waywarden; all spans have come when it has closed. */
async function play(
  headers: Readonly<Record<string, string>> = {},
  overlay: Partial<Tracing> = {},
  { configure = (config: Config) => config, replicas = 1 } = {},
): Promise<Played> {
  await using receiver = await startOtlpReceiver()
  const trace = tracingTo([receiver.url], overlay)
  const start = () => startTestApp(temporaryDirectory(), (config) => configure(trace(config)))
  const one = await start()
  const other = replicas === 1 ? one : await start()
  const answers = await playChain([one, other], headers)
  for (const running of new Set([one, other])) await running[Symbol.asyncDispose]()
  return { receiver, answers }
}

describe('server/traced: a chain of agents that pass on nothing but the chain', () => {
  let receiver: OtlpReceiver
  let answers: Played['answers']
  before(async () => {
    const played = await play({}, {}, { replicas: 2 })
    receiver = played.receiver
    answers = played.answers
  })

  it('is one trace, named by the transaction', () => {
    expect(checksOf(receiver).map(({ name }) => name)).to.deep.equal(story)
    const [txn = ''] = answers.map(({ metadata }) => metadata['txn'] ?? '')
    expect(new Set(receiver.spans.map((span) => span.traceId))).to.deep.equal(
      new Set([txn.replaceAll('-', '')]),
    )
  })

  it('is one tree over both replicas: each check stands under the one that minted its chain, and links to it', () => {
    const [toA, toD, ...others] = checksOf(receiver)
    expect(toA).to.include({ parentSpanId: '' }).and.to.deep.include({ links: [] })
    expect(toD?.parentSpanId).to.equal(toA?.spanId)
    expect(toD?.links).to.deep.equal([{ traceId: toA?.traceId, spanId: toA?.spanId }])
    for (const other of others) {
      expect(other.parentSpanId).to.equal(toD?.spanId)
      expect(other.links).to.deep.equal([{ traceId: toD?.traceId, spanId: toD?.spanId }])
    }
  })

  it('has every span once, and no parent that is not there', () => {
    const ids = receiver.spans.map((span) => span.spanId)
    expect(new Set(ids).size).to.equal(ids.length)
    const parents = receiver.spans.map(({ parentSpanId }) => parentSpanId).filter((id) => id !== '')
    expect(parents.filter((id) => !ids.includes(id))).to.deep.equal([])
  })

  it('has a span a step, within its check, and one a principal under the judgement', () => {
    const steps = checksOf(receiver).map((check) => {
      const children = childrenOf(receiver, check).filter(({ kind }) => kind === 'INTERNAL')
      for (const child of children) {
        expect(child.startedMs).to.be.at.least(check.startedMs)
        expect(child.endedMs).to.be.within(child.startedMs, check.endedMs)
      }
      const judged = children.find(({ name }) => name === 'judge')
      const principals = judged === undefined ? [] : childrenOf(receiver, judged)
      return { steps: children.map(({ name }) => name), principals: principals.map(({ name }) => name) }
    })
    const login = ['verify user token', 'prove user token', 'verify user token']
    const [proven, judged] = [
      ['decode', 'identify', 'verify chain'],
      ['judge', 'record'],
    ]
    expect(steps).to.deep.equal([
      {
        steps: ['decode', 'identify', ...login, 'judge', 'extend', 'record'],
        principals: ['subject: permit'],
      },
      {
        steps: [...proven, 'judge', 'extend', 'record'],
        principals: ['caller: permit', 'subject: permit'],
      },
      {
        steps: [...proven, ...judged],
        principals: ['caller: permit', 'delegator: permit', 'subject: permit'],
      },
      {
        steps: [...proven, ...judged],
        principals: ['caller: no-permit', 'delegator: no-permit', 'subject: forbid'],
      },
    ])
  })

  it('says what was asked on whose behalf, and who refused; a refusal is no error', () => {
    const denied = checksOf(receiver).at(-1)
    expect(denied?.status).to.equal('UNSET')
    expect(denied?.attributes).to.deep.include({
      [spanAttributes.rpcMethod]: 'envoy.service.auth.v3.Authorization/Check',
      [spanAttributes.user]: 'hospital/clerk',
      [spanAttributes.agent]: uris.agentD,
      [spanAttributes.kind]: 'GUARDRAIL',
      [spanAttributes.input]:
        'hospital/clerk → billing/agent-a → billing/agent-d → patient-records: read-record Patient::"p-7"',
      [spanAttributes.outcome]: 'deny',
      [spanAttributes.code]: 'policy_denied',
      [spanAttributes.service]: 'patient-records',
      [spanAttributes.action]: 'read-record',
      [spanAttributes.resource]: 'Patient::"p-7"',
      [spanAttributes.chain]: ['hospital/clerk', uris.agentA, uris.agentD],
      [spanAttributes.deniedBy]: [uris.agentD, uris.agentA, 'hospital/clerk'],
      [spanAttributes.decisionId]: answers.at(-1)?.metadata['decision_id'],
      [spanAttributes.revision]: answers.at(-1)?.metadata['policy_revision'],
    })
    expect(denied?.attributes[spanAttributes.output]).to.match(
      /^deny: policy_denied; caller billing\/agent-d no-permit; .*subject hospital\/clerk forbid \(.*\)$/,
    )
    expect(receiver.resources[0]).to.include({ 'service.name': 'test', 'openinference.project.name': 'test' })
  })

  it('uses no name beside those of the table, and carries no token', () => {
    const known: readonly string[] = Object.values(spanAttributes)
    const used = new Set(receiver.spans.flatMap(({ attributes }) => Object.keys(attributes)))
    expect([...used].filter((name) => !known.includes(name))).to.deep.equal([])
    const tokens = answers.flatMap(({ setHeaders }) => setHeaders['actor-chain'] ?? [])
    expect(tokens).to.have.length(2)
    for (const { body } of receiver.requests) {
      for (const token of tokens) expect(body.includes(token.slice(-40))).to.equal(false)
      expect(body.includes('Bearer')).to.equal(false)
    }
  })
})

describe('server/traced', () => {
  it('stays in the trace that a request brings, and links to the check that minted the chain', async () => {
    const { receiver } = await play({ traceparent: sampled, tracestate: 'rojo=1' })
    const [toA, toD, ...others] = checksOf(receiver)
    for (const check of checksOf(receiver)) {
      expect(check).to.include({ traceId, parentSpanId: spanId, traceState: 'rojo=1' })
    }
    expect(toA?.links).to.deep.equal([])
    expect(toD?.links).to.deep.equal([{ traceId, spanId: toA?.spanId }])
    for (const other of others) expect(other.links).to.deep.equal([{ traceId, spanId: toD?.spanId }])
  })

  it('honours that a trace is not sampled, and samples none of its own at 0', async () => {
    const unsampled = await play({ traceparent: `00-${traceId}-${spanId}-00` })
    expect(unsampled.receiver.requests).to.deep.equal([])
    const none = await play({}, { sample: 0 })
    expect(none.receiver.requests).to.deep.equal([])
  })

  it('traces denials alone when asked to, without a parent that nobody sent', async () => {
    const { receiver } = await play({}, { sample: 0, denials: true })
    expect(checksOf(receiver).map(({ name, parentSpanId }) => ({ name, parentSpanId }))).to.deep.equal([
      { name: 'deny read-record on patient-records', parentSpanId: '' },
    ])
  })

  it('names users as records do', async () => {
    const secret = join(temporaryDirectory(), 'secret')
    await writeFile(secret, 'x'.repeat(32))
    const configure = (config: Config): Config => ({
      ...config,
      audit: { ...config.audit, pseudonyms: secret },
    })
    const { receiver } = await play({}, {}, { configure })
    expect(checksOf(receiver)).to.have.length(4)
    for (const { attributes } of checksOf(receiver)) {
      expect(attributes[spanAttributes.pseudonym]).to.match(/^hospital\/~/)
    }
    for (const { body } of receiver.requests) expect(body.includes('hospital/clerk')).to.equal(false)
  })

  it('gives a remembered judgement principals that took no time', async () => {
    await using receiver = await startOtlpReceiver()
    const app = await startTestApp(temporaryDirectory(), tracingTo([receiver.url]))
    const headers = { 'actor-chain': chainNow() }
    await app.ask({ headers })
    await app.ask({ headers })
    await app[Symbol.asyncDispose]()
    const remembered = receiver.spans
      .filter(({ attributes }) => attributes[spanAttributes.remembered] === true)
      .map(({ name, startedMs, endedMs }) => ({ name, tookMs: endedMs - startedMs }))
      .toSorted((one, two) => one.name.localeCompare(two.name))
    expect(remembered).to.deep.equal([
      { name: 'caller: permit', tookMs: 0 },
      { name: 'delegator: permit', tookMs: 0 },
      { name: 'subject: permit', tookMs: 0 },
    ])
  })

  it('gives a chain that serves again one minting check, and every check its own span', async () => {
    await using receiver = await startOtlpReceiver()
    const app = await startTestApp(temporaryDirectory(), tracingTo([receiver.url]))
    const task = { method: 'POST', path: '/tasks' }
    const toA = { ...task, peer: uris.gateway, destinationAddress: '10.96.0.4:8080' }
    const { setHeaders } = await app.ask({ ...toA, headers: { authorization: `Bearer ${tokenNow()}` } })
    const toD = { ...task, peer: uris.agentA, destinationAddress: '10.96.0.2:8080', headers: setHeaders }
    await app.ask(toD)
    await app.ask(toD)
    await app[Symbol.asyncDispose]()
    const [, first, second] = checksOf(receiver)
    expect(first?.name).to.equal('allow ask on insurance-agent')
    expect(first?.attributes[spanAttributes.jtiOut]).to.equal(second?.attributes[spanAttributes.jtiOut])
    expect(first?.spanId).to.not.equal(second?.spanId)
  })

  it('answers all the same when endpoints hang, refuse, answer nonsense or are not there', async () => {
    await using hanging = await startOtlpReceiver(() => {})
    await using refusing = await startOtlpReceiver((response) => response.writeHead(401).end())
    await using babbling = await startOtlpReceiver((response) => response.end('<html>'))
    const urls = [hanging.url, refusing.url, babbling.url, 'http://127.0.0.1:9']
    await using app = await startTestApp(
      temporaryDirectory(),
      tracingTo(urls, { timeoutMs: 100, maxQueued: 20 }),
    )
    for (let round = 0; round < 10; round++) {
      const answers = await playChain([app, app])
      expect(answers.map(({ kind }) => kind)).to.deep.equal(['ok', 'ok', 'ok', 'denied'])
    }
    const metrics = await (await fetch(`http://${app.app.addresses.admin}/metrics`)).text()
    expect(metrics).to.match(/^waywarden_export_lost_total\{.*loss="queue_full"\} [1-9]/m)
    expect(metrics).to.not.match(/^waywarden_faults_total\{/m)
  })

  it('makes a failure of ours an error', async () => {
    const configure = (config: Config): Config => ({ ...config, maxInFlight: 0 })
    const { receiver } = await play({}, {}, { configure })
    const [check] = checksOf(receiver)
    expect(check?.status).to.equal('ERROR')
    expect(check?.attributes[spanAttributes.errorType]).to.equal('overloaded')
  })
})
