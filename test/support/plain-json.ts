/** A strictly read value as `JSON.parse` makes it, which gives a member named `__proto__` like any other. */
export function toPlainJson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toPlainJson)
  if (!(value instanceof Map)) return value
  const plain = {}
  for (const [key, item] of value)
    Object.defineProperty(plain, key, {
      value: toPlainJson(item),
      enumerable: true,
      writable: true,
      configurable: true,
    })
  return plain
}
