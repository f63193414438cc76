import { LRUCache } from 'lru-cache'
import { toFlatString } from './flat-string.ts'

/** How much is remembered: so many entries, and of so many bytes in all where an entry's weight is given. */
export type Bound = { readonly maxEntries: number; readonly maxBytes?: number }

/**
 * Answers by a key that says everything an answer depends on; what was used least goes first. `bytes` is the weight of an
 * entry beside its key, and counts only in a memory with `maxBytes`.
 */
export type Memory<V> = {
  readonly get: (key: string) => V | undefined
  readonly set: (key: string, value: V, bytes?: number) => void
}

/** Makes an empty memory. */
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
 * A memory that lasts as long as its generation: what the answers rest on besides their keys (a policy revision, a set of
 * keys), by a name that is as good as its content. A new generation begins with an empty memory.
 */
export function createGenerations<V extends object>(bound: Bound): (generation: string) => Memory<V> {
  let current: { readonly name: string; readonly memory: Memory<V> } | undefined
  return (name) => {
    if (current?.name !== name) current = { name, memory: createMemory<V>(bound) }
    return current.memory
  }
}
