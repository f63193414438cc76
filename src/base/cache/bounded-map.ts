import { LRUCache } from 'lru-cache'

/** A map that evicts the least recently used entry when it is full. */
export type BoundedMap<V> = {
  readonly get: (key: string) => V | undefined
  readonly set: (key: string, value: V) => void
}

/** Creates a map with a maximum number of entries. `onEvicted` is called for each evicted entry. */
export function createBoundedMap<V extends object>(
  maxEntries: number,
  onEvicted: (key: string, value: V) => void = () => {},
): BoundedMap<V> {
  const entries = new LRUCache<string, V>({
    max: maxEntries,
    dispose: (value, key, reason) => {
      if (reason === 'evict') onEvicted(key, value)
    },
  })
  return { get: (key) => entries.get(key), set: (key, value) => void entries.set(key, value) }
}
