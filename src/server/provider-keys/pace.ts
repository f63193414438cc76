/** Lets a few things happen at once, and after them one in each interval. */
export type Pace = {
  /** Takes a turn; when there is none, the milliseconds until there is. */
  readonly take: () => 'taken' | { readonly waitMs: number }
}

/** A pace of so many turns at first, and one more each interval; on the monotonic clock. */
export function createPace(turns: number, intervalMs: number, elapsedMs: () => number): Pace {
  let left = turns
  let filledAtMs = elapsedMs()
  return {
    take() {
      const nowMs = elapsedMs()
      const more = Math.floor((nowMs - filledAtMs) / intervalMs)
      left = Math.min(turns, left + more)
      // A full allowance does not grow, so its interval begins with the turn that is taken.
      filledAtMs = left === turns ? nowMs : filledAtMs + more * intervalMs
      if (left === 0) return { waitMs: filledAtMs + intervalMs - nowMs }
      left--
      return 'taken'
    },
  }
}
