import { type Admission, lookMs } from '../../src/check/admission.ts'
import type { SpiffeId } from '../../src/model/spiffe-id.ts'

/** Who asks how often, and until when. */
export type Demand = { readonly caller: SpiffeId; readonly perSecond: number; readonly untilMs?: number }

/** One check as it went; `waitedMs` is 0 until it is answered. */
export type Outcome = {
  readonly uri: string
  readonly atMs: number
  readonly isRefused: boolean
  readonly waitedMs: number
}

/** A clock that stands still until it is moved. */
export type FakeClock = { nowMs: number }

type Job = { readonly outcome: { waitedMs: number; readonly atMs: number }; readonly finish: () => void }

/** Plays a server that works on one check at a time, first come first served, each for `costMs`. */
export async function flood(
  admission: Admission,
  clock: FakeClock,
  demands: readonly Demand[],
  { costMs, forMs }: { readonly costMs: number; readonly forMs: number },
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = []
  const queue: Job[] = []
  let freeAtMs = 0
  for (; clock.nowMs < forMs; clock.nowMs++) {
    for (const demand of demands.flatMap((each) => dueAt(each, clock.nowMs))) {
      outcomes.push(ask(admission, clock, demand.caller, queue))
    }
    for (
      freeAtMs = Math.max(freeAtMs, clock.nowMs);
      queue.length > 0 && freeAtMs < clock.nowMs + 1;
      freeAtMs += costMs
    ) {
      finishFirst(queue, clock)
    }
    // What was finished is counted before the next look.
    await new Promise(setImmediate)
    if (clock.nowMs % lookMs === 0) admission.look()
  }
  return outcomes
}

function dueAt(demand: Demand, nowMs: number): readonly Demand[] {
  if (nowMs >= (demand.untilMs ?? Number.POSITIVE_INFINITY)) return []
  const before = Math.floor((nowMs * demand.perSecond) / 1000)
  return Array.from({ length: Math.floor(((nowMs + 1) * demand.perSecond) / 1000) - before }, () => demand)
}

function ask(admission: Admission, clock: FakeClock, caller: SpiffeId, queue: Job[]): Outcome {
  const outcome = { uri: caller.uri, atMs: clock.nowMs, isRefused: true, waitedMs: 0 }
  void admission.admit(caller, () => {
    outcome.isRefused = false
    return new Promise<void>((resolve) => queue.push({ outcome, finish: resolve }))
  })
  return outcome
}

function finishFirst(queue: Job[], clock: FakeClock): void {
  const job = queue.shift()
  if (job === undefined) return
  job.outcome.waitedMs = clock.nowMs - job.outcome.atMs
  job.finish()
}
