/** Revoked members of one kind, and until when each must have begun to be revoked: seconds since the epoch. */
export type Members = Pick<ReadonlyMap<string, number>, 'get' | 'size'> & Iterable<readonly [string, number]>

/** Members that are still being added to. */
export type GrowingMembers = Members & { readonly set: (id: string, notBefore: number) => void }

/** Of a million entries each map has about a thousand. */
const maps = 1024

/**
 * Many small maps instead of a large one: a map that grows is hashed anew as a whole, which stops everything for 145 ms at half a
 * million entries.
 */
export function createMembers(): GrowingMembers {
  const parts: (Map<string, number> | undefined)[] = []
  let size = 0
  return {
    get size() {
      return size
    },
    get: (id) => parts[placeOf(id)]?.get(id),
    set(id, notBefore) {
      const place = placeOf(id)
      const part = parts[place] ?? new Map<string, number>()
      parts[place] = part
      size -= part.size
      part.set(id, notBefore)
      size += part.size
    },
    *[Symbol.iterator]() {
      for (const part of parts) if (part !== undefined) yield* part
    },
  }
}

/** FNV-1a. Ids that are chosen to share a place only make its map larger. */
function placeOf(id: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < id.length; at++) hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193)
  return (hash >>> 0) % maps
}
