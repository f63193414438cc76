import type { Checkpoint } from '../format/checkpoint.ts'
import { createTree, type Hash, type Tree, toHashes } from '../format/merkle.ts'

/** A tree at its last checkpoint. */
export type Sealed = { readonly size: number; readonly frontier: readonly Hash[] }

/** A flaw and its place. `line` 0 means the whole file; `index` counts the lines of the log from 0. */
export type Flaw = {
  /** Present if the content is as signed but still unusable. */
  readonly isSigned?: true
  readonly file: string
  readonly line: number
  readonly index: number
  readonly message: string
}

/** The first line that differs from the signed lines, and the kind of change. */
export type Difference = { readonly position: number; readonly message: string }

/** Returns the hashes listed in a checkpoint (base64), if they lead from the previous checkpoint to this root. */
export function readSigned(
  base64: string,
  { size, frontier }: Sealed,
  checkpoint: Checkpoint,
): { readonly leaves: readonly Hash[]; readonly tree: Tree } | undefined {
  const leaves = toHashes(Buffer.from(base64, 'base64'))
  const tree = createTree(size, frontier)
  for (const leaf of leaves) tree.add(leaf)
  return tree.size() === checkpoint.size && tree.root() === checkpoint.root ? { leaves, tree } : undefined
}

/** Compares signed hashes with found hashes; `undefined` if they are equal. */
export function findDifference(signed: readonly Hash[], found: readonly Hash[]): Difference | undefined {
  const length = Math.max(signed.length, found.length)
  for (let position = 0; position < length; position++) {
    const [was, is] = [signed[position], found[position]]
    if (was === undefined) return { position, message: 'was inserted: it was never signed' }
    if (is === undefined) return { position, message: 'is missing: the line that was signed is gone' }
    if (was !== is) return { position, message: describe(signed, found, was, is) }
  }
  return undefined
}

function describe(signed: readonly Hash[], found: readonly Hash[], was: Hash, is: Hash): string {
  const isElsewhere = found.includes(was)
  const isKnown = signed.includes(is)
  if (isElsewhere && isKnown) return 'was reordered: it stood at another place when it was signed'
  if (isElsewhere) return 'was inserted: it was never signed'
  if (isKnown) return 'is in place of a removed line'
  return 'was changed: it differs from the signed line'
}

/** Keeps the found lines that were signed, each as often as it was signed. */
export function keepGenuine<T extends { readonly hash: Hash }>(
  signed: readonly Hash[],
  found: readonly T[],
): readonly T[] {
  const left = new Map<Hash, number>()
  for (const hash of signed) left.set(hash, (left.get(hash) ?? 0) + 1)
  return found.filter(({ hash }) => {
    const count = left.get(hash) ?? 0
    left.set(hash, count - 1)
    return count > 0
  })
}
