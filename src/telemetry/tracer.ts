import { createHash, randomBytes } from 'node:crypto'
import { createBoundedMap } from '../base/cache/bounded-map.ts'
import { type TraceContext, traceContextOf, traceStateOf } from '../base/http/trace-context.ts'
import type { Headers } from '../base/model/check-input.ts'
import { type Placement, type Step, type Timeline, type TracedDecision, toSpans } from './check-spans.ts'
import type { Span, SpanContext } from './span.ts'

/** Which checks are traced, and where their spans go. */
export type TracerOptions = {
  /** The share of traces that begin here, 0 to 1. The sender of a trace context has decided already. */
  readonly sample: number
  /** Trace what is not allowed in any case. */
  readonly denials: boolean
  readonly send: (spans: readonly Span[]) => void
  /** The wall clock and a monotonic one, in milliseconds. */
  readonly nowMs: () => number
  readonly elapsedMs: () => number
}

/** A check under way; times are of the monotonic clock. */
export type Watch = {
  readonly headers: Headers
  readonly context: TraceContext | undefined
  /** The chain that was presented, by the end of its text. */
  readonly chainKey: string | undefined
  readonly startedMs: number
  readonly steps: Step[]
  /** How long each principal took, unless the judgement was remembered. */
  readonly evaluations: Step[]
}

/** What decides whether and where a check is traced. */
export type DecisionIds = Pick<TracedDecision, 'outcome' | 'txn' | 'jtiIn' | 'jtiOut'>

/** Watches checks, and sends the spans of those that are sampled. */
export type Tracer = {
  readonly elapsedMs: () => number
  /** Begins a check; `undefined` when it is not traced, whatever comes of it. */
  readonly begin: (headers: Headers, chain: string | undefined, startedMs: number) => Watch | undefined
  /** Ends a check; only a traced one asks for its decision. */
  readonly end: (watch: Watch, ids: DecisionIds, toDecision: () => TracedDecision) => void
}

const maxMinted = 20_000
const maxPassedOver = 20_000

/** The end of a token is its signature; should two share it, some check goes untraced. */
const chainKeyLength = 64
const passed = {}

/**
 * Makes a tracer. A request that brings a trace context stays in that trace. One without is traced by its chain: the
 * transaction names the trace, and the check that minted the chain is the parent. So a chain shows as one tree even
 * through agents that pass on nothing but the chain, and over replicas that share nothing.
 */
export function createTracer({ sample, denials, send, nowMs, elapsedMs }: TracerOptions): Tracer {
  /** The check that minted a chain, by the chain's `jti`. */
  const minted = createBoundedMap<SpanContext>(maxMinted)
  /** Chains whose transaction is not sampled, so that their next checks pay for no stopwatch. */
  const passedOver = createBoundedMap<object>(maxPassedOver)
  const toWall = createWallClock(nowMs, elapsedMs)
  return {
    elapsedMs,
    begin(headers, chain, startedMs) {
      const context = traceContextOf(headers)
      const chainKey = context === undefined ? chain?.slice(-chainKeyLength) : undefined
      const isPassedOver = chainKey !== undefined && passedOver.get(chainKey) !== undefined
      if ((context?.isSampled === false || isPassedOver) && !denials) return undefined
      return { headers, context, chainKey, startedMs, steps: [], evaluations: [] }
    },
    end(watch, ids, toDecision) {
      const { outcome, jtiIn, jtiOut } = ids
      const origin = jtiIn === undefined ? undefined : minted.get(jtiIn)
      const found = findTrace(watch.context, origin, ids, sample)
      if (!found.isSampled && !(denials && outcome !== 'allow')) {
        if (watch.chainKey !== undefined && jtiIn !== undefined) passedOver.set(watch.chainKey, passed)
        return
      }
      const isFirst = jtiOut !== undefined && minted.get(jtiOut) === undefined
      // A chain that serves again was minted by an earlier check, whose id is taken.
      const spanId = isFirst ? spanIdOf(jtiOut) : createSpanId()
      if (isFirst) minted.set(jtiOut, { traceId: found.traceId, spanId })
      const place: Placement = { ...found, spanId, traceState: watch.context && traceStateOf(watch.headers) }
      send(toSpans(toDecision(), toTimeline(watch, elapsedMs(), toWall), place, createSpanId))
    },
  }
}

type Found = Pick<Placement, 'traceId' | 'parent' | 'link'> & { readonly isSampled: boolean }

function findTrace(
  context: TraceContext | undefined,
  origin: SpanContext | undefined,
  { txn, jtiIn }: DecisionIds,
  sample: number,
): Found {
  if (context !== undefined) {
    const { traceId, spanId, isSampled } = context
    return { traceId, parent: { spanId, isRemote: true }, link: origin, isSampled }
  }
  if (origin !== undefined) {
    const { traceId, spanId } = origin
    return { traceId, parent: { spanId, isRemote: true }, link: origin, isSampled: true }
  }
  const traceId = txn === undefined ? randomBytes(16).toString('hex') : traceIdFor(txn)
  const isSampled = isInShare(traceId, sample)
  // Every replica samples a transaction alike, so the replica that minted this chain has sent its span.
  const isKnown = isSampled && jtiIn !== undefined
  if (!isKnown) return { traceId, parent: undefined, link: undefined, isSampled }
  const spanId = spanIdOf(jtiIn)
  return { traceId, parent: { spanId, isRemote: true }, link: { traceId, spanId }, isSampled }
}

/** Our transactions are UUIDs, which differ from trace ids by their hyphens only: who has one, has the other. */
function traceIdFor(txn: string): string {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(txn)
    ? txn.replaceAll('-', '')
    : digest(`trace ${txn}`).slice(0, 32)
}

/** What any replica can say of the check that minted a chain. */
function spanIdOf(jti: string): string {
  return digest(`span ${jti}`).slice(0, 16)
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function createSpanId(): string {
  return randomBytes(8).toString('hex')
}

/** The last 48 bits of a UUID are random, whatever its version's other bits say. */
function isInShare(traceId: string, sample: number): boolean {
  return Number.parseInt(traceId.slice(-12), 16) < sample * 2 ** 48
}

/** Moves a watch from the monotonic clock to the wall's. */
function toTimeline(watch: Watch, endedMs: number, toWall: (elapsedMs: number) => number): Timeline {
  const move = (step: Step): Step => ({
    name: step.name,
    startedMs: toWall(step.startedMs),
    endedMs: toWall(step.endedMs),
  })
  return {
    ...move({ name: 'check', startedMs: watch.startedMs, endedMs }),
    steps: watch.steps.map(move),
    evaluations: watch.evaluations.map(move),
  }
}

const clockStepMs = 2

/** The wall clock counts whole milliseconds, in which a check begins and ends; so only its steps are followed. */
function createWallClock(nowMs: () => number, elapsedMs: () => number): (elapsedMs: number) => number {
  let offsetMs = nowMs() - elapsedMs()
  return (atMs) => {
    const presentMs = nowMs() - elapsedMs()
    if (Math.abs(presentMs - offsetMs) >= clockStepMs) offsetMs = presentMs
    return offsetMs + atMs
  }
}
