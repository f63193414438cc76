/** The state of a connection: its request is incomplete, it waits for the next request, or it is being answered. */
export type Phase = 'unfinished' | 'idle' | 'busy'

/** One connection of a port. */
export type LimitedConnection = {
  /** The client's IP address; the empty string on a Unix socket. */
  readonly address: string
  readonly phase: () => Phase
  /** Closes the connection to make room. */
  readonly evict: () => void
}

/** The connections of one port, with a maximum. */
export type ConnectionLimit = {
  /**
   * Adds a connection; if there are too many, it evicts another one. Returns false if none can be evicted: then the
   * caller must close the new one.
   */
  readonly enter: (connection: LimitedConnection) => boolean
  readonly leave: (connection: LimitedConnection) => void
  readonly size: () => number
}

/**
 * Holds at most `max` connections. No address may hold more of them than it leaves free, so that one busy address cannot
 * exclude others. A connection of the address with the most connections is evicted: by phase in the order of `evictable`,
 * the oldest first. INVARIANT: an address never causes an eviction at another address while it holds more itself.
 */
export function createConnectionLimit(max: number, evictable: readonly Phase[]): ConnectionLimit {
  // Maps and sets keep insertion order.
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
      // Read again, because making room may have removed the entry.
      byAddress.set(connection.address, (byAddress.get(connection.address) ?? new Set()).add(connection))
      size++
      return true
    },
    leave,
    size: () => size,
  }
}

/** Searches the addresses with the most connections, but none that would then hold fewer than the new one's `own`. */
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
