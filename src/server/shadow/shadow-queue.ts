/** How much of what is offered is worked on. */
export type ShadowQueueOptions<T> = {
  readonly work: (item: T) => void
  /** Told how many items were chosen and had no room, soon after: what has no room costs next to nothing. */
  readonly onDropped: (count: number) => void
  /** The share of all items that is chosen, above 0 and at most 1. */
  readonly sample: number
  readonly perSecond: number
  readonly random: () => number
  /** Milliseconds of a clock that never goes back. */
  readonly elapsedMs: () => number
  /** Runs something after everything that is under way now. */
  readonly later: (run: () => void) => void
}

/** Work that nobody waits for. */
export type ShadowQueue<T> = {
  /** Takes an item, or not, and does nothing else now; asks for it only when it is chosen and has room. */
  readonly offer: (make: () => T | undefined) => void
  readonly clear: () => void
}

const maxWaiting = 100

/** Works on a bounded share of what is offered, one item at a time, with everything else in between. */
export function createShadowQueue<T>(options: ShadowQueueOptions<T>): ShadowQueue<T> {
  const { work, onDropped, sample, perSecond, random, elapsedMs, later } = options
  // A second's worth at once: a mesh with little traffic has it in bursts, and none of it is to be missed.
  const room = perSecond
  let waiting: T[] = []
  let dropped = 0
  let tokens = room
  let refilledMs = elapsedMs()
  const hasRoom = (): boolean => {
    const nowMs = elapsedMs()
    tokens = Math.min(room, tokens + ((nowMs - refilledMs) / 1000) * perSecond)
    refilledMs = nowMs
    return tokens >= 1 && waiting.length < maxWaiting
  }
  const step = (): void => {
    if (dropped > 0) onDropped(dropped)
    dropped = 0
    const item = waiting.shift()
    if (item === undefined) return
    work(item)
    if (waiting.length > 0) later(step)
  }
  return {
    offer(make) {
      if (sample < 1 && random() >= sample) return
      if (!hasRoom()) {
        dropped++
        if (dropped === 1 && waiting.length === 0) later(step)
        return
      }
      const item = make()
      if (item === undefined) return
      tokens--
      waiting.push(item)
      if (waiting.length === 1 && dropped === 0) later(step)
    },
    clear() {
      waiting = []
    },
  }
}
