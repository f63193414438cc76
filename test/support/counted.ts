/** A value of which every property that is read of an item in one of its lists is counted. */
export type Counted<T> = { readonly value: T; readonly reads: () => number }

/** Wraps the items of each list in an object, to see how often a rule looks at them. */
export function countReads<T extends object>(value: T): Counted<T> {
  let reads = 0
  const watch = (item: unknown): unknown =>
    typeof item !== 'object' || item === null
      ? item
      : new Proxy(item, {
          get(target, key, receiver) {
            reads++
            return Reflect.get(target, key, receiver)
          },
        })
  const entries = Object.entries(value).map(([key, part]: [string, unknown]) => [
    key,
    Array.isArray(part) ? part.map(watch) : part,
  ])
  return { value: { ...value, ...Object.fromEntries(entries) }, reads: () => reads }
}
