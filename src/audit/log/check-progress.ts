import type { RawLine } from '../format/lines.ts'
import { createTree, type Hash, leafHash, type Tree } from '../format/merkle.ts'
import type { MetaLine, SegmentLine } from '../format/meta-line.ts'
import type { Sealed } from './tampering.ts'

/** A whole line of a log and its leaf hash. `meta` is set if it is a meta line of the log itself. */
export type Leaf = {
  readonly raw: RawLine
  readonly hash: Hash
  /** The number of the line in the log, from 0. */
  readonly index: number
  readonly kind: MetaLine['kind'] | undefined
  readonly meta: MetaLine | undefined
}

/** The state of a check of a log: its tree, and the lines since the last checkpoint. */
export class CheckProgress {
  readonly isBegun: boolean
  /** The number of lines before the first segment that was read. */
  readonly beginsAt: number
  origin: string | undefined
  #tree: Tree
  #sealed: Sealed
  #pending: Leaf[] = []
  #pendingBytes = 0
  #sequence = 0
  #isLost = false

  /** Starts after `sealed.size` lines, whose subtree roots are known; by default before the first line. */
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

  /** The tree over all lines so far. */
  get tree(): Tree {
    return this.#tree
  }

  /** The lines up to the last checkpoint. */
  get sealed(): Sealed {
    return this.#sealed
  }

  /** The lines since the last checkpoint. */
  get pending(): readonly Leaf[] {
    return this.#pending
  }

  get pendingBytes(): number {
    return this.#pendingBytes
  }

  /** The segment of the last line. */
  get sequence(): number {
    return this.#sequence
  }

  /** True while the following lines, up to the next segment, are unknown. */
  get isLost(): boolean {
    return this.#isLost
  }

  /** True if a segment that names `size` lines before it continues from here. */
  isBefore({ size }: Pick<SegmentLine, 'size'>): boolean {
    return this.isBegun && !this.#isLost && this.#tree.size() === size
  }

  /** Adds a line of a segment; returns its number in the log. */
  add(line: Pick<Leaf, 'raw' | 'kind' | 'meta'>, sequence: number): number {
    const [hash, index] = [leafHash(line.raw.bytes), this.#tree.size()]
    this.#tree.add(hash)
    this.#sequence = sequence
    this.#pending.push({ ...line, hash, index })
    this.#pendingBytes += line.raw.bytes.length
    return index
  }

  /** Marks all lines of the tree as signed. */
  seal(tree: Tree): void {
    this.#tree = tree
    this.#sealed = { size: tree.size(), frontier: tree.frontier() }
    this.#clear()
  }

  /** Notes that lines of the segment are missing or cannot be read. */
  lose(): void {
    this.#isLost = true
    this.#clear()
  }

  #clear(): void {
    this.#pending = []
    this.#pendingBytes = 0
  }
}
