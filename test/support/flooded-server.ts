import type { SpiffeId } from '../../src/base/model/spiffe-id.ts'
import { type Admission, lookMs } from '../../src/decision/check/admission.ts'

/** A caller, its rate, and the end of its flood. */
export type Demand = { readonly caller: SpiffeId; readonly perSecond: number; readonly untilMs?: number }

/** One check as it went. */
export type Outcome = {
  readonly uri: string
  readonly atMs: number
  readonly isRefused: boolean
  readonly waitedMs: number
}

/** A clock that stands still until it is moved. */
export type FakeClock = { nowMs: number }

type Waiting = { readonly caller: SpiffeId; readonly outcome: { -readonly [K in keyof Outcome]: Outcome[K] } }

/** The cost of a refusal. */
const refusalMs = 0.02

/**
 * Plays the event loop of a server: requests wait in its sockets, first come first served; each is admitted or refused when
 * its turn comes, and what is admitted takes `costMs`. A turn of the loop takes all that has come, and timers come after it.
 */
export function flood(
  admission: Admission,
  clock: FakeClock,
  demands: readonly Demand[],
  { costMs, forMs }: { readonly costMs: number; readonly forMs: number },
): readonly Outcome[] {
  const outcomes: Outcome[] = []
  let [arrivedMs, lookAtMs] = [clock.nowMs, clock.nowMs + lookMs]
  while (clock.nowMs < forMs) {
    const queue: Waiting[] = []
    for (; arrivedMs <= clock.nowMs; arrivedMs++) {
      for (const { caller } of demands.flatMap((each) => dueAt(each, arrivedMs))) {
        const outcome = { uri: caller.uri, atMs: arrivedMs, isRefused: true, waitedMs: 0 }
        outcomes.push(outcome)
        queue.push({ caller, outcome })
      }
    }
    for (const waiting of queue) serve(admission, clock, waiting, costMs)
    if (queue.length === 0) clock.nowMs = Math.max(clock.nowMs, arrivedMs)
    if (clock.nowMs >= lookAtMs) {
      admission.look()
      lookAtMs = clock.nowMs + lookMs
    }
  }
  return outcomes
}

function dueAt(demand: Demand, nowMs: number): readonly Demand[] {
  if (nowMs >= (demand.untilMs ?? Number.POSITIVE_INFINITY)) return []
  const before = Math.floor((nowMs * demand.perSecond) / 1000)
  return Array.from({ length: Math.floor(((nowMs + 1) * demand.perSecond) / 1000) - before }, () => demand)
}

function serve(admission: Admission, clock: FakeClock, { caller, outcome }: Waiting, costMs: number): void {
  outcome.isRefused = admission.refuse(caller) !== undefined
  outcome.waitedMs = clock.nowMs - outcome.atMs
  clock.nowMs += outcome.isRefused ? refusalMs : costMs
  if (!outcome.isRefused) admission.charge(caller, costMs)
}
