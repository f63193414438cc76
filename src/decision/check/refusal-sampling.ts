import type { Answer } from '../../base/model/answer.ts'
import { type Deny, deny } from '../../base/model/decision.ts'

/** Answers refusals for overload with few records: one stands for all of its caller that follow it within a second. */
export type RefusalSampling = {
  /** `conclude` records a denial and answers it; `repeat` hears of a refusal that is answered as the one before was. */
  readonly answer: (
    caller: string,
    denial: Deny,
    conclude: (denial: Deny) => Answer,
    repeat: () => void,
  ) => Answer
}

type Told = { readonly answer: Answer; readonly atMs: number; repeated: number }

const standsForMs = 1000
/** Callers that are told apart; when one is forgotten, nobody learns for how many its record stood. */
const maxCallers = 1024

/**
 * A flood of requests must not become a flood of records, which would cost as much as deciding. The next record of a caller
 * says for how many refusals the one before it stood.
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

/** Forgets the caller that was answered longest ago. */
function makeRoom(told: Map<string, Told>): void {
  if (told.size < maxCallers) return
  for (const oldest of told.keys()) {
    told.delete(oldest)
    return
  }
}
