const RealDate = Date

/** Puts this process's wall clock forward or back until it is disposed; the monotonic clock and timers run on. */
export function stepWallClock(stepMs: number): Disposable {
  return replaceWallClock(() => RealDate.now() + stepMs)
}

/** Has this process read another wall clock until it is disposed. */
export function replaceWallClock(nowMs: () => number): Disposable {
  let isReplaced = true
  // Code that captured `Date.now` meanwhile reads the real clock after this is disposed.
  const readMs = () => (isReplaced ? nowMs() : RealDate.now())
  class OtherDate extends RealDate {
    constructor(...given: readonly [] | readonly [number | string | Date]) {
      super(given.length === 0 ? readMs() : given[0])
    }

    static override now(): number {
      return readMs()
    }
  }
  globalThis.Date = OtherDate as DateConstructor
  return {
    [Symbol.dispose]() {
      isReplaced = false
      globalThis.Date = RealDate
    },
  }
}

const hourMs = 3_600_000

/** Steps that an operator or NTP may make. */
export const wallClockSteps: readonly { readonly name: string; readonly stepMs: number }[] = [
  { name: 'forward', stepMs: hourMs },
  { name: 'back', stepMs: -hourMs },
]
