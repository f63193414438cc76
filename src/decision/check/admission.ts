import { type Deny, deny } from '../../base/model/decision.ts'
import type { SpiffeId } from '../../base/model/spiffe-id.ts'

/** What bounds the checks under way. */
export type AdmissionOptions = {
  /** Checks that may wait for something at once. */
  readonly maxInFlight: number
  /** Delay that may not stand, milliseconds. */
  readonly targetMs: number
  /** Monotonic clock. */
  readonly elapsedMs: () => number
  /** The share of the time since it was last asked in which the event loop had work, 0 to 1. */
  readonly utilization: () => number
}

/** Who may still ask. Under load the callers that cost most are refused first, and the others pass. */
export type Admission = {
  /** Refuses every caller while as many checks wait as may; `undefined` admits. */
  readonly refuseAll: () => Deny | undefined
  /** Refuses a caller that has had its share of the time or of the places for checks that wait; `undefined` admits. */
  readonly refuse: (caller: SpiffeId) => Deny | undefined
  /** Counts a check of a caller, and the time that it has cost, milliseconds. */
  readonly charge: (caller: SpiffeId, workMs: number) => void
  /** Takes a place for a check that waits, of a caller if it is known who calls; what is returned gives the place back. */
  readonly hold: (caller: SpiffeId | undefined) => () => void
  /** To be called by a timer every `lookMs`: how late it comes is how late answers are. */
  readonly look: () => void
}

/** Time between two looks, milliseconds. */
export const lookMs = 20

/** What one caller has of the places and of the window; `checks` are those that its least has not made up for yet. */
type Share = { waiting: number; checks: number; workMs: number }

type Load = {
  readonly shares: Map<string, Share>
  waiting: number
  /** What one caller may have of a window. */
  limitMs: number
  lateWindows: number
  endsAtMs: number
  lookedAtMs: number
  /** The least delay of the window; infinite while there is none. */
  leastLateMs: number
}

const windowMs = 50
/** One window alone can be a reload or a collection of garbage. */
const standingWindows = 2
/** What every caller has, however late we are: 60 checks a second, and a second's at once. */
const leastChecks = 3
const burstChecks = 60
/** What all callers together have of a window, in equal parts: a queue sinks all the same, and one busy caller works on. */
const sharedWorkMs = windowMs / 10
const growth = 1.1
/** A loop that is late and has less to do waits for a processor that others use: to refuse requests would not help it. */
const leastUtilization = 0.5
/** Callers of one window; those who come after them share one place. */
const maxCallers = 4096
const everybodyElse = ''

/**
 * Keeps the queue short as CoDel does (RFC 8289): the least delay of a window counts, for a burst may pass and a standing
 * queue may not. While one stands, what each caller may have of a window is halved again and again, and then it rises for
 * some seconds, so that the callers that cost most meet it first. No caller ever holds more places than it leaves for the others.
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
      // Work that does not pause keeps the timer from coming, and must not make a window longer.
      if (nowMs >= load.endsAtMs) moveOn(load, options, nowMs)
      const share = shareOf(load, caller)
      if (share.waiting >= maxInFlight - load.waiting)
        return deny('overloaded', `${share.waiting} checks of this caller wait, ${load.waiting} in all`)
      if (share.workMs >= load.limitMs && share.checks >= burstChecks)
        return deny('overloaded', 'answers are late, and this caller has had its share of them')
      return undefined
    },
    charge(caller, workMs) {
      const share = shareOf(load, caller)
      share.checks++
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

/** Ends a window and begins the next. */
function moveOn(load: Load, { targetMs, utilization }: AdmissionOptions, nowMs: number): void {
  const lateMs = Number.isFinite(load.leastLateMs) ? load.leastLateMs : latenessOf(load, nowMs)
  const isBusy = utilization() >= leastUtilization
  load.lateWindows = lateMs > targetMs && isBusy ? load.lateWindows + 1 : 0
  load.limitMs = nextLimit(load)
  // Windows that passed while the process slept count, too: requests that waited meanwhile arrive all at once.
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
  // No window holds more.
  return raisedMs < 2 * windowMs ? raisedMs : Number.POSITIVE_INFINITY
}
