import { hash } from 'node:crypto'

/** A SHA-256 hash as 32 characters of Latin-1: a `Buffer` would cost more than the hash that it holds. */
export type Hash = string

/** A Merkle tree of RFC 6962 §2.1, of which only the roots of its whole subtrees are held, largest first. */
export type Tree = {
  readonly size: () => number
  readonly add: (leaf: Hash) => void
  /** The root over all leaves so far. */
  readonly root: () => Hash
  readonly frontier: () => readonly Hash[]
}

const hashBytes = 32
const node = Buffer.alloc(1 + 2 * hashBytes, 1)
const maxScratchBytes = 64 * 1024
const scratch = Buffer.alloc(maxScratchBytes)

/** The hash of a leaf whose content is `bytes`. */
export function leafHash(bytes: Uint8Array): Hash {
  const length = bytes.length + 1
  if (length > maxScratchBytes) return sha256(Buffer.concat([Buffer.of(0), bytes]))
  scratch.set(bytes, 1)
  return sha256(scratch.subarray(0, length))
}

/** The same for content that already has the leaf's zero byte in front, which spares a copy on the hot path. */
export function framedLeafHash(framed: Uint8Array): Hash {
  return sha256(framed)
}

/** The hash of an inner node. */
export function nodeHash(left: Hash, right: Hash): Hash {
  node.write(left, 1, 'latin1')
  node.write(right, 1 + hashBytes, 'latin1')
  return sha256(node)
}

/** A tree that goes on from `frontier` at `size`. */
export function createTree(size = 0, frontier: readonly Hash[] = []): Tree {
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
    root: () => roots.reduceRight<Hash | undefined>(join, undefined) ?? sha256(Buffer.alloc(0)),
    frontier: () => [...roots],
  }
}

/** How many roots the frontier of a tree of that size has. */
export function frontierLength(size: number): number {
  let ones = 0
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) ones += rest % 2
  return ones
}

/** A hash as it stands in files. */
export function toBase64(of: Hash): string {
  return toBytes([of]).toString('base64')
}

/** The hash that stands in a file, or `undefined` when the text is none. */
export function parseHash(base64: string): Hash | undefined {
  const bytes = Buffer.from(base64, 'base64')
  return bytes.length === hashBytes && bytes.toString('base64') === base64 ? toHash(bytes) : undefined
}

/** Hashes one behind the other. */
export function toBytes(hashes: readonly Hash[]): Buffer {
  return Buffer.from(hashes.join(''), 'latin1')
}

/** The hashes that stand one behind the other; what is less than a hash at the end is left out. */
export function toHashes(bytes: Buffer): readonly Hash[] {
  return Array.from({ length: Math.floor(bytes.length / hashBytes) }, (_, at) =>
    toHash(bytes.subarray(at * hashBytes, (at + 1) * hashBytes)),
  )
}

function toHash(bytes: Buffer): Hash {
  return bytes.toString('latin1')
}

function join(right: Hash | undefined, left: Hash): Hash {
  return right === undefined ? left : nodeHash(left, right)
}

function sha256(bytes: Uint8Array): Hash {
  return hash('sha256', bytes, 'binary')
}
