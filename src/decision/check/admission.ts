import { type Deny, deny } from '../../base/model/decision.ts'
import type { SpiffeId } from '../../base/model/spiffe-id.ts'

/** Bounds on checks in flight. */
export type AdmissionOptions = {
  /** The maximum number of checks that wait for something at once. */
  readonly maxInFlight: number
  /** The tolerable standing delay, in milliseconds. */
  readonly targetMs: number
  /** Monotonic clock. */
  readonly elapsedMs: () => number
  /** The share of time since the last call in which the event loop was busy, 0 to 1. */
  readonly utilization: () => number
}

/** Admits or refuses callers. Under load it first refuses the callers that cost most. */
export type Admission = {
  /** Refuses every caller while `maxInFlight` checks wait; `undefined` admits. */
  readonly refuseAll: () => Deny | undefined
  /** Refuses a caller that has used up its share of time or of waiting checks; `undefined` admits. */
  readonly refuse: (caller: SpiffeId) => Deny | undefined
  /** Counts checks of a caller (one if left out) and their cost in milliseconds. */
  readonly charge: (caller: SpiffeId, workMs: number, checks?: number) => void
  /** Counts a waiting check, for the caller if it is known. The returned function ends it. */
  readonly hold: (caller: SpiffeId | undefined) => () => void
  /** A timer must call this every `lookMs`. The lateness of the call measures the delay of answers. */
  readonly look: () => void
}

/** The interval between two measurements, in milliseconds. */
export const lookMs = 20

/** The current use of one caller. `checks` are those above the guaranteed rate. */
type Share = { waiting: number; checks: number; workMs: number }

type Load = {
  readonly shares: Map<string, Share>
  waiting: number
  /** The work that one caller may use in a window. */
  limitMs: number
  lateWindows: number
  endsAtMs: number
  lookedAtMs: number
  /** The least delay measured in the window; infinite before the first measurement. */
  leastLateMs: number
}

const windowMs = 50
/** A single late window can be a reload or a garbage collection. */
const standingWindows = 2
/** Guaranteed to every caller at any delay: 60 checks a second, with a burst of 60. */
const leastChecks = 3
const burstChecks = 60
/**
 * The work of a window that all callers share equally during overload. The queue still shrinks, and one busy caller can
 * continue.
 */
const sharedWorkMs = windowMs / 10
const growth = 1.1
/** A late but mostly idle event loop waits for a processor that others use. Refusing requests would not help. */
const leastUtilization = 0.5
/** The maximum number of callers in one window; further callers share one entry. */
const maxCallers = 4096
const everybodyElse = ''

/**
 * Keeps the queue short like CoDel (RFC 8289). The least delay of a window counts, because a burst may pass and a
 * standing queue may not. During a standing queue each caller's limit is halved in every window; afterwards it rises for
 * some seconds. So the most expensive callers reach it first. No caller ever has more waiting checks than it leaves for
 * the others.
 */
export function createAdmission(options: AdmissionOptions): Admission {
  const { maxInFlight, elapsedMs } = options
  const load = createLoad(elapsedMs())
  return {
    refuseAll() {
      if (load.waiting < maxInFlight) return undefined
      return deny('overloaded', `${load.waiting} checks wait`)
    },
    refuse(caller) {
      const nowMs = elapsedMs()
      // Work that never pauses delays the timer. It must not lengthen the window.
      if (nowMs >= load.endsAtMs) moveOn(load, options, nowMs)
      const share = shareOf(load, caller)
      if (share.waiting >= maxInFlight - load.waiting)
        return deny('overloaded', `${share.waiting} checks of this caller wait, ${load.waiting} in all`)
      if (share.workMs >= load.limitMs && share.checks >= burstChecks)
        return deny('overloaded', 'answers are late, and this caller has had its share of them')
      return undefined
    },
    charge(caller, workMs, checks = 1) {
      const share = shareOf(load, caller)
      share.checks += checks
      share.workMs += workMs
    },
    hold(caller) {
      const share = caller && shareOf(load, caller)
      load.waiting++
      if (share !== undefined) share.waiting++
      return () => {
        load.waiting--
        if (share !== undefined) share.waiting--
      }
    },
    look() {
      const nowMs = elapsedMs()
      load.leastLateMs = Math.min(load.leastLateMs, latenessOf(load, nowMs))
      load.lookedAtMs = nowMs
      if (nowMs >= load.endsAtMs) moveOn(load, options, nowMs)
    },
  }
}

function createLoad(nowMs: number): Load {
  return {
    shares: new Map(),
    waiting: 0,
    limitMs: Number.POSITIVE_INFINITY,
    lateWindows: 0,
    endsAtMs: nowMs + windowMs,
    lookedAtMs: nowMs,
    leastLateMs: Number.POSITIVE_INFINITY,
  }
}

function shareOf({ shares }: Load, { uri }: SpiffeId): Share {
  const own = shares.get(uri)
  if (own !== undefined) return own
  const name = shares.size < maxCallers ? uri : everybodyElse
  const share = shares.get(name) ?? { waiting: 0, checks: 0, workMs: 0 }
  shares.set(name, share)
  return share
}

function latenessOf({ lookedAtMs }: Load, nowMs: number): number {
  return Math.max(0, nowMs - lookedAtMs - lookMs)
}

/** Ends a window and starts the next one. */
function moveOn(load: Load, { targetMs, utilization }: AdmissionOptions, nowMs: number): void {
  const lateMs = Number.isFinite(load.leastLateMs) ? load.leastLateMs : latenessOf(load, nowMs)
  const isBusy = utilization() >= leastUtilization
  load.lateWindows = lateMs > targetMs && isBusy ? load.lateWindows + 1 : 0
  load.limitMs = nextLimit(load)
  // Windows that passed while the process slept count too, because the requests that waited meanwhile arrive at once.
  const madeUp = leastChecks * (1 + Math.floor((nowMs - load.endsAtMs) / windowMs))
  for (const [name, share] of load.shares) {
    share.workMs = 0
    share.checks = Math.max(0, Math.min(share.checks, burstChecks) - madeUp)
    if (share.waiting === 0 && share.checks === 0) load.shares.delete(name)
  }
  load.endsAtMs = nowMs + windowMs
  load.leastLateMs = Number.POSITIVE_INFINITY
}

function nextLimit({ limitMs, lateWindows, shares }: Load): number {
  if (lateWindows >= standingWindows) {
    let mostMs = 0
    for (const { workMs } of shares.values()) mostMs = Math.max(mostMs, workMs)
    return Math.max(sharedWorkMs / Math.max(1, shares.size), Math.min(limitMs, mostMs) / 2)
  }
  const raisedMs = lateWindows === 0 ? limitMs * growth : limitMs
  // No window has more work than this.
  return raisedMs < 2 * windowMs ? raisedMs : Number.POSITIVE_INFINITY
}
