import { LRUCache } from 'lru-cache'
import { toFlatString } from './flat-string.ts'

/** The bounds of a cache: its number of entries, and their total size in bytes if entries have a size. */
export type Bound = { readonly maxEntries: number; readonly maxBytes?: number }

/**
 * A cache whose key covers every input of the value. The least recently used entry is evicted first. `bytes` is the size
 * of an entry without its key; it counts only with `maxBytes`.
 */
export type Memory<V> = {
  readonly get: (key: string) => V | undefined
  readonly set: (key: string, value: V, bytes?: number) => void
}

/** Creates an empty cache. */
export function createMemory<V extends object>({ maxEntries, maxBytes }: Bound): Memory<V> {
  const entries = new LRUCache<string, V>({
    max: maxEntries,
    ...(maxBytes === undefined ? {} : { maxSize: maxBytes }),
  })
  return {
    get: (key) => entries.get(key),
    set(key, value, bytes = 0) {
      entries.set(toFlatString(key), value, maxBytes === undefined ? noSize : { size: Math.ceil(bytes) + 1 })
    },
  }
}

const noSize = {}

/**
 * A cache for one generation of the inputs that are not in the key, such as a policy revision or a set of keys. The
 * generation's name must identify its content. A new generation starts with an empty cache.
 */
export function createGenerations<V extends object>(bound: Bound): (generation: string) => Memory<V> {
  let current: { readonly name: string; readonly memory: Memory<V> } | undefined
  return (name) => {
    if (current?.name !== name) current = { name, memory: createMemory<V>(bound) }
    return current.memory
  }
}
