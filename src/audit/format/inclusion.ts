import { type Hash, nodeHash } from './merkle.ts'

/** Leaves from `first` on, and the roots of the whole subtrees before them (`frontier` of a tree of size `first`). */
export type KnownLeaves = {
  readonly first: number
  readonly frontier: readonly Hash[]
  readonly leaves: readonly Hash[]
}

/** The audit path of RFC 6962 §2.1.1 for leaf `index`, from the leaf's sibling up. */
export function inclusionPath(known: KnownLeaves, index: number): readonly Hash[] {
  const path: Hash[] = []
  let [low, high] = [0, known.first + known.leaves.length]
  while (high - low > 1) {
    const middle = low + split(high - low)
    const isLeft = index < middle
    path.push(isLeft ? subtree(known, middle, high) : subtree(known, low, middle))
    if (isLeft) high = middle
    else low = middle
  }
  return path.toReversed()
}

/** Computes the root from a leaf and its path (RFC 9162 §2.1.3.2); `undefined` if the path has the wrong length. */
export function rootOfPath(leaf: Hash, index: number, size: number, path: readonly Hash[]): Hash | undefined {
  if (index >= size) return undefined
  let [root, at, last] = [leaf, index, size - 1]
  for (const sibling of path) {
    if (last === 0) return undefined
    if (at % 2 === 1 || at === last) {
      root = nodeHash(sibling, root)
      while (at % 2 === 0 && at > 0) [at, last] = [at / 2, Math.floor(last / 2)]
    } else root = nodeHash(root, sibling)
    at = Math.floor(at / 2)
    last = Math.floor(last / 2)
  }
  return last === 0 ? root : undefined
}

function subtree(known: KnownLeaves, low: number, high: number): Hash {
  if (high <= known.first) return rootBefore(known, low)
  if (high - low === 1) return at(known.leaves, low - known.first)
  const middle = low + split(high - low)
  return nodeHash(subtree(known, low, middle), subtree(known, middle, high))
}

/** INVARIANT: the caller asks for a whole subtree whose parent is not whole. Such subtrees are on the frontier. */
function rootBefore({ first, frontier }: KnownLeaves, low: number): Hash {
  let [start, position] = [0, 0]
  while (start < low) {
    start += largestPowerUpTo(first - start)
    position++
  }
  return at(frontier, position)
}

/** Returns the largest power of two below `count`. */
function split(count: number): number {
  return largestPowerUpTo(count - 1)
}

function largestPowerUpTo(count: number): number {
  let power = 1
  while (power * 2 <= count) power *= 2
  return power
}

function at(hashes: readonly Hash[], position: number): Hash {
  const found = hashes[position]
  if (found === undefined) throw new RangeError(`expected a hash at ${position} of ${hashes.length}`)
  return found
}
