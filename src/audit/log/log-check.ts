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

/** What a log is checked against. */
export type LogTrust = {
  readonly log: string
  readonly keys: readonly KeyObject[]
  /** How a log that is signed itself found this one. */
  readonly found: FoundLog | undefined
  /** Whether that log vouches for this one even if no checkpoint does. */
  readonly isVouchedWhole: boolean
  /** Checkpoints of this log that were kept elsewhere. */
  readonly exported?: Exported | undefined
}

/** Who signed for lines: a checkpoint of their own log, or only the log that came after it. */
export type Signer = 'checkpoint' | 'successor'

/** What a check finds, as it finds it. */
export type LogCheckEvents = {
  readonly onSigned: (lines: readonly Leaf[], by: Signer) => void
  readonly onFlaw: (flaw: Flaw) => void
}

/** What the lines of a log amount to. */
export type Checked = {
  readonly origin: string | undefined
  /** How many lines stood before the first segment that was read. */
  readonly beginsAt: number
  readonly size: number
  readonly root: Hash
  /** The segment in which the last of these lines stands. */
  readonly sequence: number
  /** The last checkpoint that holds. */
  readonly checkpoint: Checkpoint | undefined
  /** The writer signed that it closed the log. */
  readonly isEnded: boolean
  /** The log after it signed that it found these lines. */
  readonly isVouched: boolean
  /** Lines behind the last checkpoint for which nobody has signed yet. */
  readonly unsigned: readonly Leaf[]
}

/** A writer signs after about a thousand lines: more than these without a checkpoint are not held in memory. */
const maxPending = 100_000
const maxPendingBytes = 256 * 1024 * 1024

/**
 * Checks the lines of one log in their order, and passes on those that are signed. After a line that is not what was signed it
 * goes on: with the next line if the checkpoint names the lines that it signed, else with the next segment.
 */
export class LogCheck {
  readonly #trust: LogTrust
  readonly #events: LogCheckEvents
  #progress = new CheckProgress()
  /**
   * The progress before a segment that does not go on from it, until a signature covers the first line of that segment. Anybody can
   * put signed lines behind a first line that says where they would stand; such a segment counts as if it were not there.
   */
  #proven: CheckProgress | undefined
  #checkpoint: Checkpoint | undefined
  #sequence = 0
  #isFirstLine = true
  /** The lines of this segment are not the log's. */
  #isSkipped = false
  /** The log has no more lines, by its writer's word or by its successor's. */
  #isOver = false
  #isEnded = false
  #isVouched = false

  constructor(trust: LogTrust, events: LogCheckEvents) {
    this.#trust = trust
    this.#events = events
  }

  /** The lines that follow are those of this segment. */
  begin(sequence: number): void {
    this.#sequence = sequence
    this.#isFirstLine = true
    this.#isSkipped = false
  }

  /** Takes a whole line. */
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

  /** Lines of this segment are missing or cannot be read. */
  lose(): void {
    this.#progress.lose()
  }

  /** There are no more lines. */
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

  /** The line of the last checkpoint is the one line that it cannot sign. What a successor did not find was added later. */
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

  /** Goes on from what the first line of a segment says, or returns why it cannot. */
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

  /** Whether as many lines stand before a segment as its first line says: of those that are proven, or else of all. */
  #continues(meta: SegmentLine): boolean {
    if (this.#proven?.isBefore(meta)) {
      this.#progress = this.#proven
      this.#proven = undefined
    }
    // If a line before it was changed, the next checkpoint says which: it brings the hashes of all since the last one.
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
    // A line that is no checkpoint of ours is a line like others: the next checkpoint tells whether it was signed.
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

  /** Goes on from the lines that the checkpoint signed, if it says which they were. */
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
    // Only a first line that was signed says where in the log its segment stands.
    if (this.#proven !== undefined && genuine[0] !== pending[0]) {
      this.#progress = this.#proven
      this.#proven = undefined
      this.#isSkipped = true
      return
    }
    this.#seal(checkpoint, signed.tree, genuine)
  }

  /** Some line since the last checkpoint is not what was signed, and nothing says which. */
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
