import { hash } from 'node:crypto'

/** A SHA-256 hash as 32 Latin-1 characters, because a `Buffer` needs more memory than the hash itself. */
export type Hash = string

/** A Merkle tree (RFC 6962 §2.1). It holds only the roots of its whole subtrees, largest first. */
export type Tree = {
  readonly size: () => number
  readonly add: (leaf: Hash) => void
  /** Returns the root over all leaves so far. */
  readonly root: () => Hash
  readonly frontier: () => readonly Hash[]
}

const hashBytes = 32
const node = Buffer.alloc(1 + 2 * hashBytes, 1)
const maxScratchBytes = 64 * 1024
const scratch = Buffer.alloc(maxScratchBytes)

/** Hashes a leaf with the content `bytes`. */
export function leafHash(bytes: Uint8Array): Hash {
  const length = bytes.length + 1
  if (length > maxScratchBytes) return sha256(Buffer.concat([Buffer.of(0), bytes]))
  scratch.set(bytes, 1)
  return sha256(scratch.subarray(0, length))
}

/** Hashes content that already starts with the leaf's zero byte. This avoids a copy on the hot path. */
export function framedLeafHash(framed: Uint8Array): Hash {
  return sha256(framed)
}

/** Hashes an inner node. */
export function nodeHash(left: Hash, right: Hash): Hash {
  node.write(left, 1, 'latin1')
  node.write(right, 1 + hashBytes, 'latin1')
  return sha256(node)
}

/** Creates a tree that continues from `frontier` at `size`. */
export function createTree(size = 0, frontier: readonly Hash[] = []): Tree {
  const roots = [...frontier]
  let leaves = size
  return {
    size: () => leaves,
    add(leaf) {
      let root = leaf
      leaves++
      // Each trailing zero bit of the new size is one subtree that has become whole.
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

/** Returns the number of roots in the frontier of a tree of this size. */
export function frontierLength(size: number): number {
  let ones = 0
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) ones += rest % 2
  return ones
}

/** Encodes a hash for files. */
export function toBase64(of: Hash): string {
  return toBytes([of]).toString('base64')
}

/** Decodes a hash from a file; `undefined` if the text is not a hash. */
export function parseHash(base64: string): Hash | undefined {
  const bytes = Buffer.from(base64, 'base64')
  return bytes.length === hashBytes && bytes.toString('base64') === base64 ? toHash(bytes) : undefined
}

/** Concatenates hashes. */
export function toBytes(hashes: readonly Hash[]): Buffer {
  return Buffer.from(hashes.join(''), 'latin1')
}

/** Splits concatenated hashes; an incomplete hash at the end is dropped. */
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
