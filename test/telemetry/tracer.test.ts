import { expect } from 'chai'
import type { Span } from '../../src/telemetry/span.ts'
import { createTracer, type DecisionIds, type TracerOptions } from '../../src/telemetry/tracer.ts'

const txn = 'c65329f2-c4b4-4b9f-8cfd-ae9d7942823d'
const decision = { decisionId: 'd', outcome: 'allow', results: [] } as const

/** A tracer with clocks that stand still, and what it sends. */
function build(overlay: Partial<TracerOptions> = {}) {
  const sent: Span[] = []
  const tracer = createTracer({
    sample: 1,
    denials: false,
    send: (spans) => sent.push(...spans),
    nowMs: () => 1_790_000_000_000,
    elapsedMs: () => 500,
    ...overlay,
  })
  const trace = (ids: Partial<DecisionIds>, headers: ReadonlyMap<string, readonly string[]> = new Map()) => {
    const watch = tracer.begin(headers, undefined, 499)
    if (watch !== undefined) tracer.end(watch, { outcome: 'allow', ...ids }, () => decision)
    return sent.at(-1)
  }
  return { trace, sent }
}

describe('telemetry/tracer', () => {
  it('tells times of the wall clock', () => {
    expect(build().trace({})).to.include({ startedMs: 1_789_999_999_999, endedMs: 1_790_000_000_000 })
  })

  it('follows the wall clock when it is set, and not its whole milliseconds', () => {
    let nowMs = 1_790_000_000_000
    const { trace } = build({ nowMs: () => nowMs })
    nowMs += 1
    expect(trace({})?.endedMs).to.equal(1_790_000_000_000)
    nowMs += 3_600_000
    expect(trace({})?.endedMs).to.equal(1_790_003_600_001)
  })

  it('samples a transaction alike wherever it is asked about, about as often as it is told', () => {
    const replicas = [build({ sample: 0.25 }), build({ sample: 0.25 })]
    const txns = Array.from({ length: 2000 }, (_, index) => `transaction ${index}`)
    const traces = replicas.map(({ trace, sent }) => {
      for (const each of txns) trace({ txn: each })
      return sent.map(({ traceId }) => traceId)
    })
    expect(traces[0]).to.deep.equal(traces[1])
    expect(traces[0]?.length).to.be.within(400, 600)
  })

  it('asks for no decision that is not traced', () => {
    const tracer = createTracer({
      ...{ sample: 0, denials: true, nowMs: () => 0, elapsedMs: () => 0 },
      send: () => expect.fail('sent'),
    })
    const watch = tracer.begin(new Map(), undefined, 0)
    if (watch === undefined) expect.fail('not watched')
    expect(() => tracer.end(watch, { outcome: 'allow', txn }, () => expect.fail('asked'))).not.to.throw()
  })

  it('watches nothing of a trace that is not sampled, unless denials are wanted', () => {
    const headers = new Map([['traceparent', [`00-${'a'.repeat(32)}-${'b'.repeat(16)}-00`]]])
    const watch = (denials: boolean) =>
      createTracer({ sample: 1, denials, send: () => {}, nowMs: () => 0, elapsedMs: () => 0 }).begin(
        headers,
        undefined,
        0,
      )
    expect(watch(false)).to.equal(undefined)
    expect(watch(true)).to.not.equal(undefined)
  })

  it('watches a chain that is not sampled once', () => {
    const tracer = createTracer({
      ...{ sample: 0, denials: false, nowMs: () => 0, elapsedMs: () => 0 },
      send: () => expect.fail('sent'),
    })
    const check = (ids: Partial<DecisionIds>) => {
      const watch = tracer.begin(new Map(), 'token', 0)
      if (watch !== undefined) tracer.end(watch, { outcome: 'allow', ...ids }, () => decision)
      return watch !== undefined
    }
    expect([check({}), check({ txn, jtiIn: 'jti-1' }), check({})]).to.deep.equal([true, true, false])
    expect(tracer.begin(new Map(), 'other', 0)).to.not.equal(undefined)
  })

  it('goes on in the trace of the check that minted the chain, though the next request brings none', () => {
    const { trace } = build({ sample: 0 })
    const [traceId, spanId] = ['a'.repeat(32), 'b'.repeat(16)]
    const minting = trace(
      { txn, jtiOut: 'jti-1' },
      new Map([['traceparent', [`00-${traceId}-${spanId}-01`]]]),
    )
    const next = trace({ txn, jtiIn: 'jti-1' })
    expect(next).to.include({ traceId })
    expect(next?.parent?.spanId).to.equal(minting?.spanId)
  })

  it('names a trace after a transaction that is no UUID, too', () => {
    const { trace } = build()
    expect(trace({ txn })?.traceId).to.equal(txn.replaceAll('-', ''))
    expect(trace({ txn: 'another' })?.traceId).to.match(/^[0-9a-f]{32}$/)
    expect(trace({ txn: 'another' })?.traceId).to.not.equal(trace({ txn: 'third' })?.traceId)
  })
})
