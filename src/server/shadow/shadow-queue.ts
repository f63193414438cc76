/** Bounds of the shadow's work. */
export type ShadowQueueOptions<T> = {
  readonly work: (item: T) => void
  /** Receives the number of chosen items without room, a little later. So an item without room costs almost nothing. */
  readonly onDropped: (count: number) => void
  /** The share of items that is chosen, above 0 and at most 1. */
  readonly sample: number
  readonly perSecond: number
  readonly random: () => number
  /** Milliseconds of a monotonic clock. */
  readonly elapsedMs: () => number
  /** Runs a function after all current work. */
  readonly later: (run: () => void) => void
}

/** A queue of background work. */
export type ShadowQueue<T> = {
  /** Queues an item or drops it, without doing work now. `make` is called only for a chosen item with room. */
  readonly offer: (make: () => T | undefined) => void
  readonly clear: () => void
}

const maxWaiting = 100

/** Processes a bounded share of the offered items, one at a time, with other work in between. */
export function createShadowQueue<T>(options: ShadowQueueOptions<T>): ShadowQueue<T> {
  const { work, onDropped, sample, perSecond, random, elapsedMs, later } = options
  // The room is one second's worth, because a mesh with little traffic has bursts, and none of it should be missed.
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
