/** What a connection does: it has not brought a whole request yet, waits for its next one, or is being answered. */
export type Phase = 'unfinished' | 'idle' | 'busy'

/** One connection among those of a port. */
export type Guest = {
  /** Where it comes from: an IP address, or the empty string on a Unix socket. */
  readonly address: string
  readonly phase: () => Phase
  /** Ends it, to make room. */
  readonly evict: () => void
}

/** The connections of one port, within a bound. */
export type Crowd = {
  /** Adds a connection; when that is one too many, evicts another. False when nothing can be evicted: then it must go itself. */
  readonly enter: (guest: Guest) => boolean
  readonly leave: (guest: Guest) => void
  readonly size: () => number
}

/**
 * Keeps no more than `max` connections. No address holds more of them than it leaves free, so that one that holds many cannot
 * keep the others out. Room is made at the address that holds most: by phase in the order of `evictable`, the oldest first.
 * INVARIANT: an address never costs another one a connection while it holds more itself.
 */
export function createCrowd(max: number, evictable: readonly Phase[]): Crowd {
  // Maps and sets keep the order in which their members came.
  const byAddress = new Map<string, Set<Guest>>()
  let size = 0
  const leave = (guest: Guest): void => {
    const held = byAddress.get(guest.address)
    if (held?.delete(guest) !== true) return
    size--
    if (held.size === 0) byAddress.delete(guest.address)
  }
  const makeRoom = (own: number): boolean => {
    const victim = findVictim([...byAddress.values()], own, evictable)
    if (victim === undefined) return false
    leave(victim)
    victim.evict()
    return true
  }
  return {
    enter(guest) {
      const held = byAddress.get(guest.address) ?? new Set()
      const own = held.size + 1
      const isTooMuch = size >= max || own > Math.max(1, max - size - 1)
      if (isTooMuch && !makeRoom(own)) return false
      // Looked up again: making room may have emptied it.
      byAddress.set(guest.address, (byAddress.get(guest.address) ?? new Set()).add(guest))
      size++
      return true
    },
    leave,
    size: () => size,
  }
}

/** At the address that holds most, but none that would hold less than the newcomer's `own`. */
function findVictim(
  addresses: readonly ReadonlySet<Guest>[],
  own: number,
  evictable: readonly Phase[],
): Guest | undefined {
  const counts = [...new Set(addresses.map(({ size }) => size))].sort((one, other) => other - one)
  for (const count of counts.filter((each) => each >= Math.max(1, own - 1))) {
    const held = addresses.filter(({ size }) => size === count).flatMap((guests) => [...guests])
    for (const phase of evictable) {
      const victim = held.find((guest) => guest.phase() === phase)
      if (victim !== undefined) return victim
    }
  }
  return undefined
}
