import type { KeyObject } from 'node:crypto'
import type { Checkpoint } from './checkpoint.ts'
import type { RawLine } from './lines.ts'
import { createLostRepeats, type LostRepeats } from './lost-repeats.ts'
import type { RetentionMark, SegmentMark } from './mark.ts'
import { createTree, type Hash, type Tree } from './merkle.ts'

/** A segment's file and its number by the file's name. */
export type SegmentFile = { readonly path: string; readonly sequence: number }

/** What is wrong, and where. `line` 0 is the file as a whole; `index` counts the lines of the log from 0. */
export type Flaw = {
  /** Present when what is there is what was signed, and is of no use all the same. */
  readonly isSigned?: true
  readonly file: string
  readonly line: number
  readonly index: number
  readonly message: string
}

/** Repeats of which nobody can tell what was decided: how many, and the first of them. */
export type Lost = { readonly count: number; readonly first: Omit<Flaw, 'message' | 'isSigned'> }

/** What a log's files amount to. */
export type LogVerdict = {
  readonly origin: string | undefined
  /** Where what is left of the log begins, and how many lines it has in all. */
  readonly beginsAt: number
  readonly size: number
  readonly root: Hash
  readonly records: number
  /** Lines after the last checkpoint: nobody has signed for them yet. */
  readonly unsealed: number
  readonly checkpoint: Checkpoint | undefined
  readonly follows: SegmentMark['follows']
  readonly retired: readonly RetentionMark[]
  readonly tornBytes: number
  readonly lost: Lost | undefined
  readonly flaw: Flaw | undefined
}

/** What a log is verified against. */
export type Trust = {
  readonly keys: readonly KeyObject[]
  /** Checkpoints that were kept elsewhere, of this log or of others. */
  readonly exported: readonly Checkpoint[]
}

type Unsealed = { readonly leaf: Hash; readonly file: string; readonly line: number }

/** What is known of a log so far. */
export type Progress = {
  readonly log: string
  readonly trust: Trust
  begun: SegmentMark | undefined
  tree: Tree
  /** The tree as of the last checkpoint, and the lines since. */
  sealed: { readonly size: number; readonly frontier: readonly Hash[] }
  unsealed: Unsealed[]
  checkpoint: Checkpoint | undefined
  records: number
  tornBytes: number
  /** What retention removed, by its signed word; `retiring` is not signed yet, so anybody may have written it. */
  retired: RetentionMark[]
  retiring: RetentionMark[]
  readonly repeats: LostRepeats
  lost: Lost | undefined
  flaw: Flaw | undefined
}

/** Nothing is known yet. */
export function beginProgress(log: string, trust: Trust): Progress {
  return {
    log,
    trust,
    begun: undefined,
    tree: createTree(),
    sealed: { size: 0, frontier: [] },
    unsealed: [],
    checkpoint: undefined,
    records: 0,
    tornBytes: 0,
    retired: [],
    retiring: [],
    repeats: createLostRepeats(),
    lost: undefined,
    flaw: undefined,
  }
}

/** Notes the first flaw; those that follow from it are not told. */
export function fail(
  progress: Progress,
  { file, line }: Pick<RawLine, 'file' | 'line'>,
  message: string,
  index: number = progress.tree.size(),
): void {
  progress.flaw ??= { file, line, index, message }
}

/** What the log amounts to. */
export function toVerdict({
  begun,
  tree,
  sealed,
  records,
  checkpoint,
  retired,
  tornBytes,
  lost,
  flaw,
}: Progress): LogVerdict {
  const size = tree.size()
  // The checkpoint's own line is the one line that it does not cover.
  const unsealed = Math.max(0, size - sealed.size - (checkpoint === undefined ? 0 : 1))
  return {
    origin: begun?.origin,
    beginsAt: begun?.size ?? 0,
    size,
    root: tree.root(),
    records,
    unsealed,
    checkpoint,
    follows: begun?.follows,
    retired,
    tornBytes,
    lost,
    flaw,
  }
}
