/** What a connection does: it has not brought a whole request yet, waits for its next one, or is being answered. */
export type Phase = 'unfinished' | 'idle' | 'busy'

/** One connection among those of a port. */
export type LimitedConnection = {
  /** Where it comes from: an IP address, or the empty string on a Unix socket. */
  readonly address: string
  readonly phase: () => Phase
  /** Ends it, to make room. */
  readonly evict: () => void
}

/** The connections of one port, within a bound. */
export type ConnectionLimit = {
  /** Adds a connection; when that is one too many, evicts another. False when nothing can be evicted: then it must go itself. */
  readonly enter: (connection: LimitedConnection) => boolean
  readonly leave: (connection: LimitedConnection) => void
  readonly size: () => number
}

/**
 * Keeps no more than `max` connections. No address holds more of them than it leaves free, so that one that holds many cannot
 * keep the others out. Room is made at the address that holds most: by phase in the order of `evictable`, the oldest first.
 * INVARIANT: an address never costs another one a connection while it holds more itself.
 */
export function createConnectionLimit(max: number, evictable: readonly Phase[]): ConnectionLimit {
  // Maps and sets keep the order in which their members came.
  const byAddress = new Map<string, Set<LimitedConnection>>()
  let size = 0
  const leave = (connection: LimitedConnection): void => {
    const held = byAddress.get(connection.address)
    if (held?.delete(connection) !== true) return
    size--
    if (held.size === 0) byAddress.delete(connection.address)
  }
  const makeRoom = (own: number): boolean => {
    const victim = findVictim([...byAddress.values()], own, evictable)
    if (victim === undefined) return false
    leave(victim)
    victim.evict()
    return true
  }
  return {
    enter(connection) {
      const held = byAddress.get(connection.address) ?? new Set()
      const own = held.size + 1
      const isTooMuch = size >= max || own > Math.max(1, max - size - 1)
      if (isTooMuch && !makeRoom(own)) return false
      // Looked up again: making room may have emptied it.
      byAddress.set(connection.address, (byAddress.get(connection.address) ?? new Set()).add(connection))
      size++
      return true
    },
    leave,
    size: () => size,
  }
}

/** At the address that holds most, but none that would hold less than the newcomer's `own`. */
function findVictim(
  addresses: readonly ReadonlySet<LimitedConnection>[],
  own: number,
  evictable: readonly Phase[],
): LimitedConnection | undefined {
  const counts = [...new Set(addresses.map(({ size }) => size))].sort((one, other) => other - one)
  for (const count of counts.filter((each) => each >= Math.max(1, own - 1))) {
    const held = addresses.filter(({ size }) => size === count).flatMap((connections) => [...connections])
    for (const phase of evictable) {
      const victim = held.find((connection) => connection.phase() === phase)
      if (victim !== undefined) return victim
    }
  }
  return undefined
}
