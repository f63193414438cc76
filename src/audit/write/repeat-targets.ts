import { inOnePiece } from '../../base/cache/flat-string.ts'
import type { RecordParts } from '../../base/model/record-parts.ts'
import { maxReferable, maxReferableBytes } from '../format/repeat.ts'
import type { Segment } from '../log/segment.ts'
import { isLike, type Likeness, toLikeness } from './same-decision.ts'

/** A record that stands whole in the current segment. */
export type Referable = {
  /** What its repeats begin with. */
  readonly repeatStart: string
  /** Its line from behind what varies; absent where nobody copies it. */
  readonly constant: string | undefined
}

/** The same, found where it stands. */
export type Found = Referable & {
  /** Which of the segment's whole records it is, from 1. */
  readonly ordinal: number
}

type Kept = Found & { readonly likeness: Likeness }

/** The records of a segment to which a repeat may refer. */
export type Referables = {
  /** The record of the segment that says of a check all that does not vary, if it is within reach. */
  readonly find: (segment: Segment, parts: RecordParts, ahead: number) => Found | undefined
  /** Whether a repeat may refer to it although so many whole records are yet to stand between; of the current segment alone. */
  readonly isWithinReach: (found: Found, ahead: number) => boolean
  /** A line of so many bytes has been written whole; readers count it even when nothing can refer to it. */
  readonly add: (segment: Segment, parts: RecordParts, bytes: number, record: Referable | undefined) => void
}

/** Holds at most `maxReferable`, by the question that policies were asked: one for each. */
export function createReferables(): Referables {
  let current: Segment | undefined
  let count = 0
  const kept = new Map<string, Kept>()
  const isWithinReach = ({ ordinal }: Found, ahead: number): boolean => count + ahead - ordinal < maxReferable
  return {
    isWithinReach,
    find(segment, parts, ahead) {
      const { questionKey } = parts
      const found = segment === current && questionKey !== undefined ? kept.get(questionKey) : undefined
      if (found === undefined || !isWithinReach(found, ahead)) return undefined
      return isLike(parts, found.likeness) ? found : undefined
    },
    add(segment, parts, bytes, record) {
      if (segment !== current) {
        current = segment
        count = 0
        kept.clear()
      }
      if (bytes > maxReferableBytes) return
      count++
      const { questionKey } = parts
      // Without a question there is nothing by which it could be found again.
      if (questionKey === undefined || parts.decision.results.length === 0 || record === undefined) return
      kept.delete(questionKey)
      const { repeatStart, constant } = record
      kept.set(inOnePiece(questionKey), {
        repeatStart,
        constant,
        likeness: toLikeness(parts),
        ordinal: count,
      })
      const [oldest] = kept.keys()
      if (kept.size > maxReferable && oldest !== undefined) kept.delete(oldest)
    },
  }
}
