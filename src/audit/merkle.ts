import { hash } from 'node:crypto'

/** A Merkle tree of RFC 6962 §2.1, of which only the roots of its whole subtrees are held, largest first. */
export type Tree = {
  readonly size: () => number
  readonly add: (leaf: Buffer) => void
  /** The root over all leaves so far. */
  readonly root: () => Buffer
  readonly frontier: () => readonly Buffer[]
}

const node = Buffer.alloc(65)
node[0] = 1

/** The hash of a leaf whose content is `bytes`. */
export function leafHash(bytes: Uint8Array): Buffer {
  return sha256(Buffer.concat([Buffer.of(0), bytes]))
}

/** The same for content that already has the leaf's zero byte in front, which spares a copy on the hot path. */
export function framedLeafHash(framed: Uint8Array): Buffer {
  return sha256(framed)
}

/** The hash of an inner node. */
export function nodeHash(left: Buffer, right: Buffer): Buffer {
  left.copy(node, 1)
  right.copy(node, 33)
  return sha256(node)
}

/** A tree that goes on from `frontier` at `size`. */
export function createTree(size = 0, frontier: readonly Buffer[] = []): Tree {
  const roots = [...frontier]
  let leaves = size
  return {
    size: () => leaves,
    add(leaf) {
      let root = leaf
      leaves++
      // Each trailing zero bit of the new size is a subtree that has just become whole.
      for (let rest = leaves; rest % 2 === 0; rest /= 2) {
        const left = roots.pop()
        if (left !== undefined) root = nodeHash(left, root)
      }
      roots.push(root)
    },
    root: () => roots.reduceRight<Buffer | undefined>(join, undefined) ?? sha256(Buffer.alloc(0)),
    frontier: () => [...roots],
  }
}

/** How many roots the frontier of a tree of that size has. */
export function frontierLength(size: number): number {
  let ones = 0
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) ones += rest % 2
  return ones
}

function join(right: Buffer | undefined, left: Buffer): Buffer {
  return right === undefined ? left : nodeHash(left, right)
}

function sha256(bytes: Uint8Array): Buffer {
  return hash('sha256', bytes, 'buffer')
}
