/** The headers as `[name, value, name, value…]` with ours replaced: whatever the caller put there belongs to nobody known. */
export function replaceHeader(headers, name, value) {
  const others = pairsOf(headers).filter(([key]) => String(key).toLowerCase() !== name)
  return (value === undefined ? others : [...others, [name, value]]).flat(1)
}

/** The same as an object, as node:http and most clients take it. */
export function replaceInRecord(headers, name, value) {
  const others = pairsOf(headers).filter(([key]) => key.toLowerCase() !== name)
  return Object.fromEntries(value === undefined ? others : [...others, [name, value]])
}

/** Headers come as an object, as pairs (`Headers`, `Map`), or flat, as undici writes them. */
function pairsOf(headers) {
  if (headers === undefined || headers === null) return []
  if (Array.isArray(headers) && !Array.isArray(headers[0])) {
    return headers.flatMap((name, index) => (index % 2 === 0 ? [[name, headers[index + 1]]] : []))
  }
  return typeof headers[Symbol.iterator] === 'function' ? [...headers] : Object.entries(headers)
}
