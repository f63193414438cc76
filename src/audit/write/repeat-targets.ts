import { toFlatString } from '../../base/cache/flat-string.ts'
import type { RecordParts } from '../../base/model/record-parts.ts'
import { maxRepeatTargets, maxTargetBytes } from '../format/repeat.ts'
import type { Segment } from '../log/segment.ts'
import { type ComparedParts, isSameDecision, toComparedParts } from './same-decision.ts'

/** A full record in the current segment. */
export type RepeatTarget = {
  /** The start of its repeats. */
  readonly repeatStart: string
  /** Its line after the per-check fields; absent if there are no copies. */
  readonly constant: string | undefined
}

/** The same, with its position. */
export type FoundTarget = RepeatTarget & {
  /** The number of the full record in the segment, from 1. */
  readonly ordinal: number
}

type Kept = FoundTarget & { readonly likeness: ComparedParts }

/** The records of a segment that repeats may refer to. */
export type RepeatTargets = {
  /** Returns the record of the segment that has the same decision, if it is within reach. */
  readonly find: (segment: Segment, parts: RecordParts, ahead: number) => FoundTarget | undefined
  /** True if a repeat may still refer to it with `ahead` more full records in between; for the current segment only. */
  readonly isWithinReach: (found: FoundTarget, ahead: number) => boolean
  /** Adds a full line of this size. Readers count it even if nothing can refer to it. */
  readonly add: (
    segment: Segment,
    parts: RecordParts,
    bytes: number,
    record: RepeatTarget | undefined,
  ) => void
}

/** Holds at most `maxRepeatTargets`, one for each question to the policies. */
export function createRepeatTargets(): RepeatTargets {
  let current: Segment | undefined
  let count = 0
  const kept = new Map<string, Kept>()
  const isWithinReach = ({ ordinal }: FoundTarget, ahead: number): boolean =>
    count + ahead - ordinal < maxRepeatTargets
  return {
    isWithinReach,
    find(segment, parts, ahead) {
      const { questionKey } = parts
      const found = segment === current && questionKey !== undefined ? kept.get(questionKey) : undefined
      if (found === undefined || !isWithinReach(found, ahead)) return undefined
      return isSameDecision(parts, found.likeness) ? found : undefined
    },
    add(segment, parts, bytes, record) {
      if (segment !== current) {
        current = segment
        count = 0
        kept.clear()
      }
      if (bytes > maxTargetBytes) return
      count++
      const { questionKey } = parts
      // Without a question there is no key to find it by.
      if (questionKey === undefined || parts.decision.results.length === 0 || record === undefined) return
      kept.delete(questionKey)
      const { repeatStart, constant } = record
      kept.set(toFlatString(questionKey), {
        repeatStart,
        constant,
        likeness: toComparedParts(parts),
        ordinal: count,
      })
      const [oldest] = kept.keys()
      if (kept.size > maxRepeatTargets && oldest !== undefined) kept.delete(oldest)
    },
  }
}
