import type { Mark } from '../format/meta-line.ts'
import { frameMark } from './sealed-log.ts'

/** What is to be said with the next line that can be written. */
export type UntoldMarks = {
  readonly add: (mark: Mark) => void
  /** One more denial was answered and could not be recorded. */
  readonly countDenial: () => void
  readonly toLines: () => readonly Buffer[]
  readonly clear: () => void
}

/** Has nothing to say yet. */
export function createUntoldMarks(nowMs: () => number): UntoldMarks {
  const now = (): string => new Date(nowMs()).toISOString()
  let marks: Buffer[] = []
  let unrecorded = { since: '', denials: 0 }
  return {
    add: (mark) => void marks.push(frameMark(mark)),
    countDenial() {
      const { since, denials } = unrecorded
      unrecorded = { since: denials === 0 ? now() : since, denials: denials + 1 }
    },
    toLines() {
      if (unrecorded.denials === 0) return marks
      return [...marks, frameMark({ version: 1, kind: 'unrecorded', until: now(), ...unrecorded })]
    },
    clear() {
      marks = []
      unrecorded = { since: '', denials: 0 }
    },
  }
}
