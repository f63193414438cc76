import type { KeyObject } from 'node:crypto'
import { isInvalid } from '../../base/model/invalid.ts'
import { type Checkpoint, verifyCheckpoint } from '../format/checkpoint.ts'
import type { RawLine } from '../format/lines.ts'
import { type Hash, parseHash, type Tree } from '../format/merkle.ts'
import {
  type CheckpointLine,
  type FoundLog,
  frontierOf,
  type MetaLine,
  metaKindOf,
  parseMetaLine,
  type SegmentLine,
} from '../format/meta-line.ts'
import { CheckProgress, type Leaf } from './check-progress.ts'
import type { Exported } from './exported.ts'
import { type Flaw, findDifference, keepGenuine, readSigned } from './tampering.ts'

/** The inputs that a log is checked against. */
export type LogTrust = {
  readonly log: string
  readonly keys: readonly KeyObject[]
  /** This log as a signed later log found it. */
  readonly found: FoundLog | undefined
  /** True if the later log vouches for this one even without a checkpoint. */
  readonly isVouchedWhole: boolean
  /** Checkpoints of this log that were kept elsewhere. */
  readonly exported?: Exported | undefined
}

/** The signer of lines: a checkpoint of their own log, or only the next log. */
export type Signer = 'checkpoint' | 'successor'

/** Receives the results of a check as they occur. */
export type LogCheckEvents = {
  readonly onSigned: (lines: readonly Leaf[], by: Signer) => void
  readonly onFlaw: (flaw: Flaw) => void
}

/** The result of checking a log's lines. */
export type Checked = {
  readonly origin: string | undefined
  /** The number of lines before the first segment that was read. */
  readonly beginsAt: number
  readonly size: number
  readonly root: Hash
  /** The segment of the last line. */
  readonly sequence: number
  /** The last valid checkpoint. */
  readonly checkpoint: Checkpoint | undefined
  /** True if the writer signed that it closed the log. */
  readonly isEnded: boolean
  /** True if the next log signed that it found these lines. */
  readonly isVouched: boolean
  /** Lines after the last checkpoint, not signed yet. */
  readonly unsigned: readonly Leaf[]
}

/** A writer signs after about a thousand lines. No more lines than this are held without a checkpoint. */
const maxPending = 100_000
const maxPendingBytes = 256 * 1024 * 1024

/**
 * Checks the lines of one log in order, and passes on those that are signed. After a changed line it continues: with the
 * next line if the checkpoint lists the signed lines, else with the next segment.
 */
export class LogCheck {
  readonly #trust: LogTrust
  readonly #events: LogCheckEvents
  #progress = new CheckProgress()
  /**
   * The state before a segment that does not continue from it, until a signature covers the first line of that segment.
   * Anybody can put signed lines after a forged first line. Such a segment is ignored.
   */
  #proven: CheckProgress | undefined
  #checkpoint: Checkpoint | undefined
  #sequence = 0
  #isFirstLine = true
  /** True if the lines of this segment do not belong to the log. */
  #isSkipped = false
  /** True if the writer or its successor signed that the log has no more lines. */
  #isOver = false
  #isEnded = false
  #isVouched = false

  constructor(trust: LogTrust, events: LogCheckEvents) {
    this.#trust = trust
    this.#events = events
  }

  /** Starts a segment. */
  begin(sequence: number): void {
    this.#sequence = sequence
    this.#isFirstLine = true
    this.#isSkipped = false
  }

  /** Reads a whole line. */
  read(raw: RawLine): void {
    if (this.#isFirstLine) {
      this.#isFirstLine = false
      this.#readFirst(raw)
      return
    }
    if (this.#isSkipped || this.#progress.isLost) return
    const kind = metaKindOf(raw.bytes)
    const meta = kind === 'checkpoint' || kind === 'retention' ? toMetaLine(raw) : undefined
    if (kind === 'checkpoint') this.#readCheckpoint(raw, meta)
    if (!this.#isSkipped && !this.#progress.isLost) this.#add(raw, kind, meta)
  }

  /** Notes that lines of this segment are missing or cannot be read. */
  lose(): void {
    this.#progress.lose()
  }

  /** Ends the check. */
  finish(last: Pick<RawLine, 'file'>): Checked {
    if (this.#proven?.isBegun) this.#progress = this.#proven
    const { found, exported } = this.#trust
    const { origin, beginsAt, tree, sequence, isLost } = this.#progress
    const size = tree.size()
    const end = { file: last.file, line: 0 }
    if (found !== undefined && size < found.size && !isLost) {
      this.#fail(end, `was cut: the log after it found ${found.size} lines, ${size} are left`)
    }
    for (const kept of exported?.all ?? []) {
      if (kept.origin !== origin || kept.size <= size || isLost) continue
      this.#fail(end, `was cut: a checkpoint from elsewhere signed ${kept.size} lines, ${size} are left`)
    }
    return {
      ...{ origin, beginsAt, size, sequence },
      root: tree.root(),
      checkpoint: this.#checkpoint,
      isEnded: this.#isEnded,
      isVouched: this.#isVouched,
      unsigned: this.#unsigned(),
    }
  }

  /** The last checkpoint cannot sign its own line. Lines that the successor did not find were added later. */
  #unsigned(): readonly Leaf[] {
    const { pending } = this.#progress
    if (this.#checkpoint === undefined) return this.#isVouched ? [] : pending
    return this.#trust.found === undefined ? pending.slice(1) : []
  }

  #readFirst(raw: RawLine): void {
    const problem = this.#begin(raw)
    if (problem === undefined) return
    this.#fail(raw, problem)
    this.#isSkipped = true
  }

  /** Continues from the first line of a segment, or returns the reason why it cannot. */
  #begin(raw: RawLine): string | undefined {
    const { log } = this.#trust
    const meta = parseMetaLine(raw.bytes)
    if (isInvalid(meta) || meta.kind !== 'segment')
      return 'begins no segment: it was written before logs had trees, or its first line was changed'
    if (meta.log !== log || meta.sequence !== this.#sequence)
      return `begins segment ${meta.sequence} of \`${meta.log}\`: the file was swapped or renamed`
    const frontier = frontierOf(meta)
    if (frontier === undefined) return 'says of the lines before it what cannot be'
    if (this.#isOver) return 'begins a segment after the log had ended'
    if (this.#continues(meta)) this.#progress.origin = meta.origin
    else this.#restart(raw, meta, frontier)
    this.#add(raw, 'segment', meta)
    return undefined
  }

  /**
   * True if the number of lines before a segment is as its first line says, counting the proven lines first, then all.
   */
  #continues(meta: SegmentLine): boolean {
    if (this.#proven?.isBefore(meta)) {
      this.#progress = this.#proven
      this.#proven = undefined
    }
    // If an earlier line was changed, the next checkpoint shows which one, because it contains the hashes of all lines
    // since the last one.
    return this.#progress.isBefore(meta)
  }

  #restart(raw: RawLine, { origin, size }: SegmentLine, frontier: readonly Hash[]): void {
    const { tree, isBegun, isLost } = this.#progress
    const own = tree.size()
    if (isBegun && !isLost) {
      const difference = size > own ? `${size - own} of them are missing` : `${own - size} more were inserted`
      this.#fail(raw, `says that ${size} lines of the log stand before it: ${difference}`)
    }
    this.#proven ??= this.#progress
    const beginsAt = this.#proven.isBegun ? this.#proven.beginsAt : size
    this.#progress = new CheckProgress({ size, frontier }, { beginsAt, origin })
    this.#compareExported(raw, size - 1)
  }

  #add(raw: RawLine, kind: Leaf['kind'], meta: Leaf['meta']): void {
    if (this.#isOver) {
      this.#fail(raw, 'was added after the log had ended')
      this.lose()
      return
    }
    const index = this.#progress.add({ raw, kind, meta }, this.#sequence)
    if (this.#isEnded) this.#isOver = true
    this.#compareExported(raw, index)
    const { found } = this.#trust
    if (this.#progress.tree.size() === found?.size) this.#meetSuccessor(raw, found)
    const { pending, pendingBytes } = this.#progress
    if (pending.length > maxPending || pendingBytes > maxPendingBytes) {
      this.#fail(raw, `has ${pending.length} lines before it without a checkpoint`)
      this.lose()
    }
  }

  #meetSuccessor(raw: RawLine, found: FoundLog): void {
    const { tree, sealed, pending } = this.#progress
    if (tree.root() === parseHash(found.root)) {
      this.#isOver = true
      this.#isVouched = this.#checkpoint !== undefined || this.#trust.isVouchedWhole
      if (!this.#isVouched) return
      this.#settle(tree)
      this.#events.onSigned(pending, 'successor')
    } else {
      const first = pending[0]?.raw ?? raw
      this.#fail(first, 'or a line after it is not what the log after it found', sealed.size)
      this.lose()
    }
  }

  #compareExported(raw: RawLine, index: number): void {
    const { origin, tree } = this.#progress
    for (const kept of this.#trust.exported?.of(tree.size()) ?? []) {
      if (kept.origin !== origin || kept.root === tree.root()) continue
      const message = `is not the end of the ${kept.size} lines that a checkpoint from elsewhere signed: the log was rewritten`
      this.#fail(raw, message, index)
    }
  }

  #readCheckpoint(raw: RawLine, meta: MetaLine | undefined): void {
    if (meta?.kind !== 'checkpoint') {
      this.#fail(raw, 'is no checkpoint')
      return
    }
    const { origin, tree, sealed, pending } = this.#progress
    const checkpoint = verifyCheckpoint(meta.note, this.#trust.keys)
    // An invalid checkpoint is treated like any line: the next checkpoint shows whether it was signed.
    if (isInvalid(checkpoint)) this.#fail(raw, checkpoint.reason)
    else if (checkpoint.origin !== origin) this.#fail(raw, `is of \`${checkpoint.origin}\``)
    else if (checkpoint.size <= sealed.size && this.#checkpoint !== undefined) {
      this.#fail(raw, `was inserted: the checkpoint of ${checkpoint.size} lines stood before`)
    } else if (checkpoint.size === tree.size() && checkpoint.root === tree.root()) {
      this.#seal(checkpoint, tree, pending)
    } else this.#recover(raw, checkpoint, meta)
  }

  #seal(checkpoint: Checkpoint, tree: Tree, lines: readonly Leaf[]): void {
    this.#checkpoint = checkpoint
    const last = lines.at(-1)?.meta
    this.#isEnded = last?.kind === 'checkpoint' && last.end === true
    this.#settle(tree)
    this.#events.onSigned(lines, 'checkpoint')
  }

  #settle(tree: Tree): void {
    this.#proven = undefined
    this.#progress.seal(tree)
  }

  /** Continues with the lines that the checkpoint signed, if it lists them. */
  #recover(raw: RawLine, checkpoint: Checkpoint, { leaves }: CheckpointLine): void {
    const { sealed, pending } = this.#progress
    const signed = readSigned(leaves, sealed, checkpoint)
    const found = pending.map(({ hash }) => hash)
    const difference = signed && findDifference(signed.leaves, found)
    if (signed === undefined || difference === undefined) {
      this.#failUnsealed(raw)
      this.lose()
      return
    }
    const at = pending[difference.position]?.raw ?? raw
    this.#fail(at, difference.message, sealed.size + difference.position)
    const genuine = keepGenuine(signed.leaves, pending)
    // Only a signed first line proves where in the log its segment begins.
    if (this.#proven !== undefined && genuine[0] !== pending[0]) {
      this.#progress = this.#proven
      this.#proven = undefined
      this.#isSkipped = true
      return
    }
    this.#seal(checkpoint, signed.tree, genuine)
  }

  /** Reports that some line since the last checkpoint was changed, and that nothing shows which one. */
  #failUnsealed(raw: RawLine): void {
    const { pending, sealed } = this.#progress
    const first = pending[0]?.raw ?? raw
    const message = `or a line after it, up to ${raw.file}:${raw.line}, is not what was signed`
    this.#fail(first, message, sealed.size)
  }

  #fail(
    { file, line }: Pick<RawLine, 'file' | 'line'>,
    message: string,
    index = this.#progress.tree.size(),
  ): void {
    this.#events.onFlaw({ file, line, index, message })
  }
}

function toMetaLine(raw: RawLine): MetaLine | undefined {
  const meta = parseMetaLine(raw.bytes)
  return isInvalid(meta) ? undefined : meta
}
