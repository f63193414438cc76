// Names of files and requests can be long, and the distance costs the product of both lengths.
const maxLength = 200

/** Returns the known name closest to a mistyped one; `undefined` if none is close. */
export function nearestName(mistyped: string, known: Iterable<string>): string | undefined {
  let nearest: { readonly name: string; readonly distance: number } | undefined
  for (const name of known) {
    const most = Math.min(3, Math.ceil(name.length / 3), (nearest?.distance ?? Number.POSITIVE_INFINITY) - 1)
    const distance = editDistance(mistyped, name, most)
    if (distance <= most) nearest = { name, distance }
  }
  return nearest?.name
}

/**
 * Returns the known name of which another name is almost certainly a typo: one letter missing, extra, swapped or wrong.
 * Names that differ only in a number or in the last letter (`idp-a`, `idp-b`) count as different.
 */
export function mistypedName(name: string, known: Iterable<string>): string | undefined {
  const unnumbered = (text: string) => text.replace(/\d+/g, '#')
  for (const other of known) {
    const isSibling = unnumbered(name) === unnumbered(other) || name.slice(0, -1) === other.slice(0, -1)
    if (!isSibling && editDistance(name, other, 1) === 1) return other
  }
  return undefined
}

/**
 * Returns the number of insertions, deletions, replacements and swaps of neighbours between two texts (optimal string
 * alignment); infinite if above `most`.
 */
export function editDistance(from: string, to: string, most: number = Number.POSITIVE_INFINITY): number {
  const isFar = Math.abs(from.length - to.length) > most || from.length > maxLength || to.length > maxLength
  if (isFar) return Number.POSITIVE_INFINITY
  const far = Number.POSITIVE_INFINITY
  let beforeLast: readonly number[] = []
  let last: readonly number[] = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 1; row <= from.length; row++) {
    const next = new Array<number>(to.length + 1).fill(far)
    next[0] = row
    // Cells farther than `most` from the diagonal cannot be within `most`.
    for (let column = Math.max(1, row - most); column <= Math.min(to.length, row + most); column++) {
      const isSame = from[row - 1] === to[column - 1]
      const isSwapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      const kept = (last[column - 1] ?? far) + (isSame ? 0 : 1)
      const swapped = isSwapped ? (beforeLast[column - 2] ?? far) + 1 : far
      next[column] = Math.min(kept, (last[column] ?? far) + 1, (next[column - 1] ?? far) + 1, swapped)
    }
    beforeLast = last
    last = next
  }
  const distance = last[to.length] ?? far
  return distance <= most ? distance : Number.POSITIVE_INFINITY
}
