import type { RawLine } from '../format/lines.ts'
import { createTree, type Hash, leafHash, type Tree } from '../format/merkle.ts'
import type { MetaLine, SegmentLine } from '../format/meta-line.ts'
import type { Sealed } from './tampering.ts'

/** A whole line of a log, its hash as a leaf, and what it says if it is a meta line of the log itself. */
export type Leaf = {
  readonly raw: RawLine
  readonly hash: Hash
  /** Which line of the log it is, from 0. */
  readonly index: number
  readonly kind: MetaLine['kind'] | undefined
  readonly meta: MetaLine | undefined
}

/** How far a check of a log has come: its tree, and the lines that were read since the last checkpoint. */
export class CheckProgress {
  readonly isBegun: boolean
  /** How many lines stand before the first segment that was read. */
  readonly beginsAt: number
  origin: string | undefined
  #tree: Tree
  #sealed: Sealed
  #pending: Leaf[] = []
  #pendingBytes = 0
  #sequence = 0
  #isLost = false

  /** Behind so many lines, of which the roots of whole subtrees are known; behind none before the first segment. */
  constructor(
    sealed: Sealed = { size: 0, frontier: [] },
    begun?: Pick<CheckProgress, 'beginsAt' | 'origin'>,
  ) {
    this.isBegun = begun !== undefined
    this.beginsAt = begun?.beginsAt ?? 0
    this.origin = begun?.origin
    this.#sealed = sealed
    this.#tree = createTree(sealed.size, sealed.frontier)
  }

  /** All lines so far. */
  get tree(): Tree {
    return this.#tree
  }

  /** The lines up to the last checkpoint. */
  get sealed(): Sealed {
    return this.#sealed
  }

  /** The lines since then. */
  get pending(): readonly Leaf[] {
    return this.#pending
  }

  get pendingBytes(): number {
    return this.#pendingBytes
  }

  /** The segment in which the last line stands. */
  get sequence(): number {
    return this.#sequence
  }

  /** Nothing is known of the lines that follow, up to the next segment. */
  get isLost(): boolean {
    return this.#isLost
  }

  /** Whether a segment that says that so many lines stand before it goes on from here. */
  isBefore({ size }: Pick<SegmentLine, 'size'>): boolean {
    return this.isBegun && !this.#isLost && this.#tree.size() === size
  }

  /** Adds a line of a segment; returns which line of the log it is. */
  add(line: Pick<Leaf, 'raw' | 'kind' | 'meta'>, sequence: number): number {
    const [hash, index] = [leafHash(line.raw.bytes), this.#tree.size()]
    this.#tree.add(hash)
    this.#sequence = sequence
    this.#pending.push({ ...line, hash, index })
    this.#pendingBytes += line.raw.bytes.length
    return index
  }

  /** All lines of the tree are signed. */
  seal(tree: Tree): void {
    this.#tree = tree
    this.#sealed = { size: tree.size(), frontier: tree.frontier() }
    this.#clear()
  }

  /** Lines of the segment are missing or cannot be read. */
  lose(): void {
    this.#isLost = true
    this.#clear()
  }

  #clear(): void {
    this.#pending = []
    this.#pendingBytes = 0
  }
}
