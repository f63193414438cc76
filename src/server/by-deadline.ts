/** The monotonic clock on which transports and checks read deadlines. */
export function elapsedMs(): number {
  return performance.now()
}

/**
 * The result of work, or the result that stands in for it if the deadline (`elapsedMs`) passes first. Work that ends later
 * changes nothing any more.
 */
export function byDeadline<T>(work: Promise<T>, deadlineMs: number, late: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(late()), Math.max(0, deadlineMs - elapsedMs()))
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
