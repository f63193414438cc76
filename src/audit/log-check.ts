import type { KeyObject } from 'node:crypto'
import { isInvalid } from '../model/invalid.ts'
import { type Checkpoint, verifyCheckpoint } from './checkpoint.ts'
import type { Exported } from './exported.ts'
import type { RawLine } from './lines.ts'
import { type CheckpointMark, type FoundLog, frontierOf, type Mark, markKindOf, parseMark } from './mark.ts'
import { createTree, type Hash, leafHash, parseHash, type Tree } from './merkle.ts'
import { type Flaw, findDifference, keepGenuine, readSigned, type Sealed } from './tampering.ts'

/** A whole line of a log, its hash as a leaf, and what it says if it is a mark that concerns the log itself. */
export type Leaf = {
  readonly raw: RawLine
  readonly hash: Hash
  /** Which line of the log it is, from 0. */
  readonly index: number
  readonly kind: Mark['kind'] | undefined
  readonly mark: Mark | undefined
}

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
export type Findings = {
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
  readonly #findings: Findings
  #origin: string | undefined
  #beginsAt = 0
  #tree: Tree = createTree()
  #sealed: Sealed = { size: 0, frontier: [] }
  #pending: Leaf[] = []
  #pendingBytes = 0
  #checkpoint: Checkpoint | undefined
  #sequence = 0
  #lastSequence = 0
  #isFirstLine = true
  #isBegun = false
  /** Nothing is known of the lines that follow, up to the next segment. */
  #isLost = false
  /** The log has no more lines, by its writer's word or by its successor's. */
  #isOver = false
  #isEnded = false
  #isVouched = false

  constructor(trust: LogTrust, findings: Findings) {
    this.#trust = trust
    this.#findings = findings
  }

  /** The lines that follow are those of this segment. */
  begin(sequence: number): void {
    this.#sequence = sequence
    this.#isFirstLine = true
  }

  /** Takes a whole line. */
  read(raw: RawLine): void {
    if (this.#isFirstLine) {
      this.#isFirstLine = false
      this.#readFirst(raw)
      return
    }
    if (this.#isLost) return
    const kind = markKindOf(raw.bytes)
    const mark = kind === 'checkpoint' || kind === 'retention' ? toMark(raw) : undefined
    if (kind === 'checkpoint') this.#readCheckpoint(raw, mark)
    if (!this.#isLost) this.#add(raw, kind, mark)
  }

  /** Lines of this segment are missing or cannot be read. */
  lose(): void {
    this.#isLost = true
    this.#pending = []
    this.#pendingBytes = 0
  }

  /** There are no more lines. */
  finish(last: Pick<RawLine, 'file'>): Checked {
    const { found, exported } = this.#trust
    const size = this.#tree.size()
    const end = { file: last.file, line: 0 }
    if (found !== undefined && size < found.size && !this.#isLost) {
      this.#fail(end, `was cut: the log after it found ${found.size} lines, ${size} are left`)
    }
    for (const kept of exported?.all ?? []) {
      if (kept.origin !== this.#origin || kept.size <= size || this.#isLost) continue
      this.#fail(end, `was cut: a checkpoint from elsewhere signed ${kept.size} lines, ${size} are left`)
    }
    return {
      origin: this.#origin,
      beginsAt: this.#beginsAt,
      size,
      root: this.#tree.root(),
      sequence: this.#lastSequence,
      checkpoint: this.#checkpoint,
      isEnded: this.#isEnded,
      isVouched: this.#isVouched,
      unsigned: this.#unsigned(),
    }
  }

  /** The line of the last checkpoint is the one line that it cannot sign. What a successor did not find was added later. */
  #unsigned(): readonly Leaf[] {
    if (this.#checkpoint === undefined) return this.#isVouched ? [] : this.#pending
    return this.#trust.found === undefined ? this.#pending.slice(1) : []
  }

  #readFirst(raw: RawLine): void {
    const problem = this.#begin(raw)
    if (problem === undefined) return
    this.#fail(raw, problem)
    this.lose()
  }

  /** Goes on from what the first line of a segment says, or returns why it cannot. */
  #begin(raw: RawLine): string | undefined {
    const { log } = this.#trust
    const mark = parseMark(raw.bytes)
    if (isInvalid(mark) || mark.kind !== 'segment')
      return 'begins no segment: it was written before logs had trees, or its first line was changed'
    if (mark.log !== log || mark.sequence !== this.#sequence)
      return `begins segment ${mark.sequence} of \`${mark.log}\`: the file was swapped or renamed`
    const frontier = frontierOf(mark)
    if (frontier === undefined) return 'says of the lines before it what cannot be'
    if (this.#isOver) return 'begins a segment after the log had ended'
    const isContinued = this.#isBegun && !this.#isLost
    this.#origin = mark.origin
    if (!isContinued || !this.#continues(raw, mark.size)) this.#restart(raw, mark.size, frontier)
    if (!this.#isBegun) this.#beginsAt = mark.size
    this.#isBegun = true
    this.#add(raw, 'segment', mark)
    return undefined
  }

  /** Whether as many lines stand before a segment as its first line says. */
  #continues(raw: RawLine, size: number): boolean {
    const own = this.#tree.size()
    // If a line before it was changed, the next checkpoint says which: it brings the hashes of all since the last one.
    if (size === own) return true
    const difference = size > own ? `${size - own} of them are missing` : `${own - size} more were inserted`
    this.#fail(raw, `says that ${size} lines of the log stand before it: ${difference}`)
    return false
  }

  #restart(raw: RawLine, size: number, frontier: readonly Hash[]): void {
    this.#tree = createTree(size, frontier)
    this.#settle({ size, frontier })
    this.#isLost = false
    this.#compareExported(raw, size - 1)
  }

  #settle(sealed: Sealed): void {
    this.#sealed = sealed
    this.#pending = []
    this.#pendingBytes = 0
  }

  #add(raw: RawLine, kind: Leaf['kind'], mark: Leaf['mark']): void {
    if (this.#isOver) {
      this.#fail(raw, 'was added after the log had ended')
      this.lose()
      return
    }
    const [hash, index] = [leafHash(raw.bytes), this.#tree.size()]
    this.#tree.add(hash)
    this.#lastSequence = this.#sequence
    this.#pending.push({ raw, hash, index, kind, mark })
    this.#pendingBytes += raw.bytes.length
    if (this.#isEnded) this.#isOver = true
    this.#compareExported(raw, index)
    if (this.#tree.size() === this.#trust.found?.size) this.#meetSuccessor(raw, this.#trust.found)
    if (this.#pending.length > maxPending || this.#pendingBytes > maxPendingBytes) {
      this.#fail(raw, `has ${this.#pending.length} lines before it without a checkpoint`)
      this.lose()
    }
  }

  #meetSuccessor(raw: RawLine, found: FoundLog): void {
    if (this.#tree.root() === parseHash(found.root)) {
      this.#isOver = true
      this.#isVouched = this.#checkpoint !== undefined || this.#trust.isVouchedWhole
      if (!this.#isVouched) return
      const vouched = this.#pending
      this.#settle({ size: found.size, frontier: this.#tree.frontier() })
      this.#findings.onSigned(vouched, 'successor')
    } else {
      const first = this.#pending[0]?.raw ?? raw
      this.#fail(first, 'or a line after it is not what the log after it found', this.#sealed.size)
      this.lose()
    }
  }

  #compareExported(raw: RawLine, index: number): void {
    for (const kept of this.#trust.exported?.of(this.#tree.size()) ?? []) {
      if (kept.origin !== this.#origin || kept.root === this.#tree.root()) continue
      const message = `is not the end of the ${kept.size} lines that a checkpoint from elsewhere signed: the log was rewritten`
      this.#fail(raw, message, index)
    }
  }

  #readCheckpoint(raw: RawLine, mark: Mark | undefined): void {
    if (mark?.kind !== 'checkpoint') {
      this.#fail(raw, 'is no checkpoint')
      return
    }
    const checkpoint = verifyCheckpoint(mark.note, this.#trust.keys)
    // A line that is no checkpoint of ours is a line like others: the next checkpoint tells whether it was signed.
    if (isInvalid(checkpoint)) this.#fail(raw, checkpoint.reason)
    else if (checkpoint.origin !== this.#origin) this.#fail(raw, `is of \`${checkpoint.origin}\``)
    else if (checkpoint.size <= this.#sealed.size && this.#checkpoint !== undefined) {
      this.#fail(raw, `was inserted: the checkpoint of ${checkpoint.size} lines stood before`)
    } else if (checkpoint.size === this.#tree.size() && checkpoint.root === this.#tree.root()) {
      this.#seal(checkpoint, this.#pending)
    } else this.#recover(raw, checkpoint, mark)
  }

  #seal(checkpoint: Checkpoint, lines: readonly Leaf[]): void {
    this.#checkpoint = checkpoint
    const last = lines.at(-1)?.mark
    this.#isEnded = last?.kind === 'checkpoint' && last.end === true
    this.#settle({ size: checkpoint.size, frontier: this.#tree.frontier() })
    this.#findings.onSigned(lines, 'checkpoint')
  }

  /** Goes on from the lines that the checkpoint signed, if it says which they were. */
  #recover(raw: RawLine, checkpoint: Checkpoint, { leaves }: CheckpointMark): void {
    const signed = readSigned(leaves, this.#sealed, checkpoint)
    const difference =
      signed &&
      findDifference(
        signed.leaves,
        this.#pending.map(({ hash }) => hash),
      )
    if (signed === undefined || difference === undefined) {
      this.#failUnsealed(raw)
      this.lose()
      return
    }
    const at = this.#pending[difference.position]?.raw ?? raw
    this.#fail(at, difference.message, this.#sealed.size + difference.position)
    this.#tree = signed.tree
    this.#seal(checkpoint, keepGenuine(signed.leaves, this.#pending))
  }

  /** Some line since the last checkpoint is not what was signed, and nothing says which. */
  #failUnsealed(raw: RawLine): void {
    const first = this.#pending[0]?.raw ?? raw
    const message = `or a line after it, up to ${raw.file}:${raw.line}, is not what was signed`
    this.#fail(first, message, this.#sealed.size)
  }

  #fail({ file, line }: Pick<RawLine, 'file' | 'line'>, message: string, index = this.#tree.size()): void {
    this.#findings.onFlaw({ file, line, index, message })
  }
}

function toMark(raw: RawLine): Mark | undefined {
  const mark = parseMark(raw.bytes)
  return isInvalid(mark) ? undefined : mark
}
