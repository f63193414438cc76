/** The monotonic clock of transports and checks, for deadlines. */
export function elapsedMs(): number {
  return performance.now()
}

/**
 * Returns the result of the work, or `late()` if the deadline (on the clock of `elapsedMs`) passes first. A later result
 * is ignored.
 */
export function byDeadline<T>(work: Promise<T>, deadlineMs: number, late: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(late()), Math.max(0, deadlineMs - elapsedMs()))
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
