/** With a million entries each part has about a thousand. */
const partCount = 1024

/**
 * A map of texts that never blocks to grow, because it consists of many small maps. A `Map` rehashes all entries whenever
 * it doubles, which takes 145 ms at half a million. The order of its entries is unspecified.
 */
export class LargeMap<V> implements ReadonlyMap<string, V> {
  readonly #parts: (Map<string, V> | undefined)[] = []
  #size = 0

  get size(): number {
    return this.#size
  }

  get(key: string): V | undefined {
    return this.#parts[placeOf(key)]?.get(key)
  }

  has(key: string): boolean {
    return this.#parts[placeOf(key)]?.has(key) === true
  }

  set(key: string, value: V): this {
    const place = placeOf(key)
    const part = this.#parts[place] ?? new Map<string, V>()
    this.#parts[place] = part
    this.#size -= part.size
    part.set(key, value)
    this.#size += part.size
    return this
  }

  *entries(): MapIterator<[string, V]> {
    for (const part of this.#parts) if (part !== undefined) yield* part
  }

  *keys(): MapIterator<string> {
    for (const [key] of this) yield key
  }

  *values(): MapIterator<V> {
    for (const [, value] of this) yield value
  }

  forEach(visit: (value: V, key: string, map: ReadonlyMap<string, V>) => void): void {
    for (const [key, value] of this) visit(value, key, this)
  }

  [Symbol.iterator](): MapIterator<[string, V]> {
    return this.entries()
  }
}

/** FNV-1a. Keys chosen to collide only make the map slower and larger. */
function placeOf(key: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193)
  return (hash >>> 0) % partCount
}
