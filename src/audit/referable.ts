import type { PrincipalResult } from '../model/decision.ts'
import { isLike, type Likeness, toLikeness } from './likeness.ts'
import type { RecordParts } from './record-parts.ts'
import { maxReferable, maxReferableBytes } from './repeat.ts'
import type { Segment } from './segment.ts'

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

/**
 * Holds at most `maxReferable`. They are found by their results: whoever remembers a judgement gives the same object
 * again, and a check that was judged anew is recorded whole.
 */
export function createReferables(): Referables {
  let current: Segment | undefined
  let count = 0
  const kept = new Map<readonly PrincipalResult[], Kept>()
  const isWithinReach = ({ ordinal }: Found, ahead: number): boolean => count + ahead - ordinal < maxReferable
  return {
    isWithinReach,
    find(segment, parts, ahead) {
      const found = segment === current ? kept.get(parts.decision.results) : undefined
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
      const { results } = parts.decision
      // What was refused before policies were asked is not remembered, so it is not found again.
      if (results.length === 0 || record === undefined) return
      kept.delete(results)
      const { repeatStart, constant } = record
      kept.set(results, { repeatStart, constant, likeness: toLikeness(parts), ordinal: count })
      const [oldest] = kept.keys()
      if (kept.size > maxReferable && oldest !== undefined) kept.delete(oldest)
    },
  }
}
