import { toFlatString } from '../../base/cache/flat-string.ts'
import type { RecordParts } from '../../base/model/record-parts.ts'
import { maxRepeatTargets, maxTargetBytes } from '../format/repeat.ts'
import type { Segment } from '../log/segment.ts'
import { type ComparedParts, isSameDecision, toComparedParts } from './same-decision.ts'

/** A record that stands whole in the current segment. */
export type RepeatTarget = {
  /** What its repeats begin with. */
  readonly repeatStart: string
  /** Its line from behind what varies; absent where nobody copies it. */
  readonly constant: string | undefined
}

/** The same, found where it stands. */
export type FoundTarget = RepeatTarget & {
  /** Which of the segment's whole records it is, from 1. */
  readonly ordinal: number
}

type Kept = FoundTarget & { readonly likeness: ComparedParts }

/** The records of a segment to which a repeat may refer. */
export type RepeatTargets = {
  /** The record of the segment that says of a check all that does not vary, if it is within reach. */
  readonly find: (segment: Segment, parts: RecordParts, ahead: number) => FoundTarget | undefined
  /** Whether a repeat may refer to it although so many whole records are yet to stand between; of the current segment alone. */
  readonly isWithinReach: (found: FoundTarget, ahead: number) => boolean
  /** A line of so many bytes has been written whole; readers count it even when nothing can refer to it. */
  readonly add: (
    segment: Segment,
    parts: RecordParts,
    bytes: number,
    record: RepeatTarget | undefined,
  ) => void
}

/** Holds at most `maxRepeatTargets`, by the question that policies were asked: one for each. */
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
      // Without a question there is nothing by which it could be found again.
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
