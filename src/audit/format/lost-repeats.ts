import { type Hash, toBase64 } from './merkle.ts'
import { beginsWith, firstIdEnd, leafAt, maxTargetBytes, repeatStart, wholeStart } from './repeat.ts'
import { createWholeLines } from './whole-lines.ts'

/** Follows the lines of a log like a reader, by their first bytes. */
export type LostRepeats = {
  /** Starts the next segment. */
  readonly begin: () => void
  /**
   * True if this line (with this hash) repeats a record outside of the reader's window. Then the decision cannot be
   * reconstructed.
   */
  readonly isLost: (bytes: Buffer, leaf: Hash) => boolean
}

/** Starts before the first line. */
export function createLostRepeats(): LostRepeats {
  const leaves = createWholeLines<string>()
  return {
    begin: leaves.clear,
    isLost(bytes, leaf) {
      if (beginsWith(bytes, repeatStart)) {
        const end = firstIdEnd(bytes, repeatStart)
        return leaves.find(bytes.toString('latin1', repeatStart.length, end)) !== leafAt(bytes, end)
      }
      if (bytes.length <= maxTargetBytes && beginsWith(bytes, wholeStart)) {
        const end = firstIdEnd(bytes, wholeStart)
        leaves.add(bytes.toString('latin1', wholeStart.length, end), toBase64(leaf))
      }
      return false
    },
  }
}
