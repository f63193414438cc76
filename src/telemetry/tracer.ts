import { createHash, randomBytes } from 'node:crypto'
import { createBoundedMap } from '../base/cache/bounded-map.ts'
import { type TraceContext, traceContextOf, traceStateOf } from '../base/http/trace-context.ts'
import type { Headers } from '../base/model/check-input.ts'
import { type Placement, type Step, type Timeline, type TracedDecision, toSpans } from './check-spans.ts'
import type { Span, SpanContext } from './span.ts'

/** The sampling of checks, and the sink of spans. */
export type TracerOptions = {
  /** The share of traces that begin here, 0 to 1. For a received trace context the sender has decided. */
  readonly sample: number
  /** Always trace checks that are not allowed. */
  readonly denials: boolean
  readonly send: (spans: readonly Span[]) => void
  /** The wall clock and a monotonic one, in milliseconds. */
  readonly nowMs: () => number
  readonly elapsedMs: () => number
}

/** A check in progress; times are on the monotonic clock. */
export type Watch = {
  readonly headers: Headers
  readonly context: TraceContext | undefined
  /** The end of the presented chain's text. */
  readonly chainKey: string | undefined
  readonly startedMs: number
  readonly steps: Step[]
  /** The time of each principal; empty if the judgement was cached. */
  readonly evaluations: Step[]
}

/** The fields that determine whether and where a check is traced. */
export type DecisionIds = Pick<TracedDecision, 'outcome' | 'txn' | 'jtiIn' | 'jtiOut'>

/** Traces checks and sends the spans of sampled ones. */
export type Tracer = {
  readonly elapsedMs: () => number
  /** Starts a check; `undefined` if it will not be traced, whatever its outcome. */
  readonly begin: (headers: Headers, chain: string | undefined, startedMs: number) => Watch | undefined
  /** Ends a check. `toDecision` is called only if it is traced. */
  readonly end: (watch: Watch, ids: DecisionIds, toDecision: () => TracedDecision) => void
}

const maxMinted = 20_000
const maxPassedOver = 20_000

/** The end of a token is its signature. If two tokens share it, some check is not traced. */
const chainKeyLength = 64
const passed = {}

/**
 * Creates a tracer. A request with a trace context stays in that trace. A request without one is traced by its chain: the
 * transaction determines the trace id, and the check that minted the chain is the parent. So a chain forms one tree, even
 * through agents that pass on only the chain, and across independent replicas.
 */
export function createTracer({ sample, denials, send, nowMs, elapsedMs }: TracerOptions): Tracer {
  /** The spans that minted chains, by the chain's `jti`. */
  const minted = createBoundedMap<SpanContext>(maxMinted)
  /** Chains whose transaction is not sampled, so that their next checks need no stopwatch. */
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
      // A reused chain was minted by an earlier check, which has the span id.
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
  // All replicas sample a transaction alike, so the replica that minted this chain has sent its span.
  const isKnown = isSampled && jtiIn !== undefined
  if (!isKnown) return { traceId, parent: undefined, link: undefined, isSampled }
  const spanId = spanIdOf(jtiIn)
  return { traceId, parent: { spanId, isRemote: true }, link: { traceId, spanId }, isSampled }
}

/** Transaction ids are UUIDs, which equal trace ids without hyphens. So each id can be derived from the other. */
function traceIdFor(txn: string): string {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(txn)
    ? txn.replaceAll('-', '')
    : digest(`trace ${txn}`).slice(0, 32)
}

/** Returns the span id of the check that minted a chain; every replica computes the same. */
function spanIdOf(jti: string): string {
  return digest(`span ${jti}`).slice(0, 16)
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function createSpanId(): string {
  return randomBytes(8).toString('hex')
}

/** Uses the last 48 bits of a UUID, which are random in every version. */
function isInShare(traceId: string, sample: number): boolean {
  return Number.parseInt(traceId.slice(-12), 16) < sample * 2 ** 48
}

/** Converts a check's times from the monotonic to the wall clock. */
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

/** The wall clock has a resolution of a millisecond, longer than a check. So it is used only to detect steps. */
function createWallClock(nowMs: () => number, elapsedMs: () => number): (elapsedMs: number) => number {
  let offsetMs = nowMs() - elapsedMs()
  return (atMs) => {
    const presentMs = nowMs() - elapsedMs()
    if (Math.abs(presentMs - offsetMs) >= clockStepMs) offsetMs = presentMs
    return offsetMs + atMs
  }
}
