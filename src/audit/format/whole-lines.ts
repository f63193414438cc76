import { maxRepeatTargets } from './repeat.ts'

/**
 * Twice the reach of a repeat. Older writers did not count the lines of the same batch, so some of their repeats refer
 * further back.
 */
const maxHeld = 2 * maxRepeatTargets

/** The latest lines of a segment that repeats may refer to, by decision id. */
export type WholeLines<T> = {
  readonly add: (decisionId: string, line: T) => void
  /** Returns the latest line of that id. */
  readonly find: (decisionId: string) => T | undefined
  /** Starts the next segment. */
  readonly clear: () => void
}

/**
 * Starts empty. `T` is the value that is held for a line. A ring evicts the oldest, because finding the oldest key of a
 * map gets slower with each deleted key.
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
