import type { Answer } from '../../base/model/answer.ts'
import { type Deny, deny } from '../../base/model/decision.ts'

/** Answers overload refusals with few records. One record stands for all refusals of the same caller within a second. */
export type RefusalSampling = {
  /** `conclude` records and answers a denial. `repeat` is called for a refusal that reuses the previous answer. */
  readonly answer: (
    caller: string,
    denial: Deny,
    conclude: (denial: Deny) => Answer,
    repeat: () => void,
  ) => Answer
}

type Told = { readonly answer: Answer; readonly atMs: number; repeated: number }

const standsForMs = 1000
/** The maximum number of callers to track. If one is evicted, its count of unrecorded refusals is lost. */
const maxCallers = 1024

/**
 * Limits the records of a flood, which would cost as much as deciding. A caller's next record says how many refusals the
 * previous one stood for.
 */
export function createRefusalSampling(elapsedMs: () => number): RefusalSampling {
  const told = new Map<string, Told>()
  return {
    answer(caller, denial, conclude, repeat) {
      const nowMs = elapsedMs()
      const last = told.get(caller)
      if (last !== undefined && nowMs - last.atMs < standsForMs) {
        last.repeated++
        repeat()
        return last.answer
      }
      const answer = conclude(withRepeated(denial, last?.repeated ?? 0))
      told.delete(caller)
      makeRoom(told)
      told.set(caller, { answer, atMs: nowMs, repeated: 0 })
      return answer
    },
  }
}

function withRepeated(denial: Deny, repeated: number): Deny {
  if (repeated === 0) return denial
  return deny(denial.code, `${denial.reason}; the record before this one stands for ${repeated} more`)
}

/** Evicts the caller that was answered longest ago. */
function makeRoom(told: Map<string, Told>): void {
  if (told.size < maxCallers) return
  for (const oldest of told.keys()) {
    told.delete(oldest)
    return
  }
}
