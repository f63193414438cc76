import { LRUCache } from 'lru-cache'

/** A map that forgets what was used least once it is full. */
export type BoundedMap<V> = {
  readonly get: (key: string) => V | undefined
  readonly set: (key: string, value: V) => void
}

/** Makes a map of at most so many entries; `onEvicted` hears of each that had to make room for another. */
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
