import { maxRepeatTargets } from './repeat.ts'

/**
 * Twice as many as a repeat may refer back over: there are logs whose writer did not count what it wrote together with the
 * repeat, so that some of their repeats refer further back.
 */
const maxHeld = 2 * maxRepeatTargets

/** The lines of a segment that readers hold for the repeats that may come: the last so many, found by their decision id. */
export type WholeLines<T> = {
  readonly add: (decisionId: string, line: T) => void
  /** The last line of that id. */
  readonly find: (decisionId: string) => T | undefined
  /** Another segment begins. */
  readonly clear: () => void
}

/**
 * Holds none yet; `T` is what is kept of a line. They go round in a ring, for to ask a map for its oldest key takes the
 * longer, the more were deleted before it.
 */
export function createWholeLines<T>(): WholeLines<T> {
  const ordinals = new Map<string, number>()
  const ring: { readonly decisionId: string; readonly line: T }[] = []
  let count = 0
  return {
    add(decisionId, line) {
      const oldest = ring[count % maxHeld]?.decisionId
      if (oldest !== undefined && ordinals.get(oldest) === count - maxHeld) ordinals.delete(oldest)
      ring[count % maxHeld] = { decisionId, line }
      ordinals.set(decisionId, count++)
    },
    find(decisionId) {
      const ordinal = ordinals.get(decisionId)
      return ordinal === undefined ? undefined : ring[ordinal % maxHeld]?.line
    },
    clear() {
      ordinals.clear()
      ring.length = 0
      count = 0
    },
  }
}
