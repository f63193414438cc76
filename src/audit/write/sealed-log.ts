import { mkdirSync } from 'node:fs'
import { signCheckpoint } from '../format/checkpoint.ts'
import { frameLine, toFileBytes, toLeafBytes } from '../format/framed.ts'
import { createTree, framedLeafHash, type Hash, toBase64, toBytes } from '../format/merkle.ts'
import { type FoundLog, formatMetaLine, type MetaLine, type SegmentLine } from '../format/meta-line.ts'
import { type LogKey, showPublicKey } from '../log/log-key.ts'
import {
  appendLines,
  type Batch,
  closeSegment,
  createSegment,
  formatLogName,
  isLinked,
  type Line,
  probe,
  type Segment,
  type WriteBytes,
} from '../log/segment.ts'

/** How a log is written and sealed. */
export type SealedLogOptions = {
  readonly directory: string
  /** Names the log in its files: the replica, and when the log began. */
  readonly origin: string
  readonly epochMs: number
  /** Stands before the log's name in checkpoints, so that it is unique in the world. */
  readonly authority: string
  readonly key: LogKey
  readonly follows: FoundLog | undefined
  readonly maxSegmentBytes: number
  /** After how many lines a checkpoint follows. */
  readonly sealEvery: number
  /** Which of several workers writes the log. */
  readonly worker?: number | undefined
  /** Logs that lie in other folders of the audit directory when it begins. */
  readonly beside?: readonly string[]
  readonly write: WriteBytes
  readonly nowMs: () => number
  readonly onSealed: (note: string) => void
  /** Called when a segment is full, before it is closed. */
  readonly onRotated: (segment: Segment) => void
}

/** For how long at most a segment that was deleted is written to. */
const linkedMs = 100
/** So often a checkpoint follows although nothing else was written: a log that ends without one was cut off, or its writer died. */
export const sealsEverySeconds = 60

/** An append-only log in numbered segments. Every line is a leaf of one Merkle tree, whose signed checkpoints stand between them. */
export class SealedLog implements Disposable {
  readonly #options: SealedLogOptions
  readonly #log: string
  readonly #tree = createTree()
  #unsealed: Hash[] = []
  #sealedSize = 0
  #segment: Segment | undefined
  #sequence = 0
  #after: SegmentLine['after']
  #linkedAtMs = Number.NEGATIVE_INFINITY
  #sealedAtMs = Number.NEGATIVE_INFINITY
  /** The segment in which the last checkpoint stands. */
  #sealedInSegment: Segment | undefined
  #beside: readonly string[]
  /** The last checkpoint, or one before it in its segment, names the logs in other folders. */
  #isBesideNamed = false
  #isClosed = false

  constructor(options: SealedLogOptions) {
    this.#options = options
    this.#log = formatLogName(options)
    this.#beside = options.beside ?? []
    this.#segmentFor(0)
  }

  /** The log's name in its files. */
  get name(): string {
    return this.#log
  }

  /** Where the next line goes, if there is a file at the moment. */
  get segment(): Segment | undefined {
    return this.#segment
  }

  /** Appends lines, all or none. Throws what the kernel said. */
  put(lines: readonly Line[]): void {
    const current = this.#segmentFor(0)
    let framed = frameAll(lines, current)
    let bytes = 0
    for (const line of framed) bytes += line.length - 1
    const segment = this.#segmentFor(bytes)
    if (segment !== current) framed = frameAll(lines, segment)
    this.#append(segment, framed, lines)
    const isNew = this.#sealedInSegment !== segment
    if (isNew || this.#tree.size() - this.#sealedSize >= this.#options.sealEvery) this.trySeal()
  }

  /**
   * Signs a checkpoint over all that was written since the last; `false` when it could not be written. When nothing was written,
   * it signs one now and then: that shows that the writer lives.
   */
  trySeal(): boolean {
    const isNew = this.#tree.size() !== this.#sealedSize || !this.#isBesideNamed
    // A clock that was set back must not keep the log from being signed.
    const isDue = Math.abs(this.#options.nowMs() - this.#sealedAtMs) >= sealsEverySeconds * 1000
    return isNew || isDue ? this.#seal() : true
  }

  /** Names logs in other folders of the audit directory, so that none of them can be removed unnoticed. */
  nameBeside(logs: readonly string[]): void {
    if (logs.every((log) => this.#beside.includes(log))) return
    this.#beside = [...logs]
    this.#isBesideNamed = false
    this.trySeal()
  }

  /** Signs that nothing more comes: the last checkpoint but one says so, and the last signs that. */
  end(): void {
    if (this.#isClosed) return
    if (this.#seal(true)) this.#seal()
    this.#isClosed = true
  }

  #seal(end?: true): boolean {
    const { key, onSealed } = this.#options
    const segment = this.#segment
    const size = this.#tree.size()
    // A segment without its first line gets that with its next record.
    if (segment === undefined || segment.size === 0) return true
    const note = signCheckpoint(
      { origin: this.#origin(), size, root: this.#tree.root() },
      key.privateKey,
      key.publicKey,
    )
    const nowMs = this.#options.nowMs()
    const [leaves, time] = [toBytes(this.#unsealed).toString('base64'), new Date(nowMs).toISOString()]
    const isNamed = this.#beside.length === 0 || (this.#isBesideNamed && segment === this.#sealedInSegment)
    const beside = isNamed ? undefined : this.#beside
    const unsealed = this.#unsealed
    this.#unsealed = []
    try {
      this.#append(segment, [
        frameMetaLine({ version: 1, kind: 'checkpoint', note, leaves, time, end, beside }),
      ])
    } catch {
      // Evidence without a seal is still evidence: the next checkpoint covers these lines, too.
      this.#unsealed = unsealed
      return false
    }
    this.#sealedSize = this.#tree.size()
    this.#sealedAtMs = nowMs
    this.#sealedInSegment = segment
    this.#isBesideNamed = true
    onSealed(note)
    return true
  }

  /** Finds out whether so many bytes could be written. Throws what the kernel said. */
  probe(bytes: number): void {
    probe(this.#segmentFor(bytes), bytes, this.#options.write)
  }

  /** Goes on in a new file, since this one cannot be trusted; an empty file is kept, so that a failing disk is not littered. */
  leaveSegment(): void {
    if (this.#segment !== undefined && (this.#segment.size > 0 || this.#segment.isTorn)) this.#drop()
  }

  [Symbol.dispose](): void {
    this.end()
    this.#drop()
  }

  /** Appends framed lines, behind the segment's first where it has none. */
  #append(segment: Segment, framed: readonly Buffer[], lines: readonly Line[] = framed): void {
    const header = segment.size === 0 ? this.#toHeader(segment) : undefined
    appendLines(
      segment,
      toFileBytes(header === undefined ? framed : [header, ...framed]),
      this.#options.write,
    )
    if (header !== undefined) this.#grow(header)
    for (let at = 0; at < framed.length; at++) {
      const [bytes, line] = [framed[at], lines[at]]
      if (bytes === undefined || line === undefined) continue
      const leaf = this.#grow(bytes)
      if (!Buffer.isBuffer(line)) line.onKept(segment, leaf)
    }
  }

  #grow(line: Buffer): Hash {
    const leaf = framedLeafHash(toLeafBytes(line))
    this.#tree.add(leaf)
    this.#unsealed.push(leaf)
    return leaf
  }

  #segmentFor(bytes: number): Segment {
    if (this.#isClosed) throw new RangeError('the log is closed')
    const { directory, maxSegmentBytes, onRotated } = this.#options
    const current = this.#segment
    if (current !== undefined && !current.isTorn && this.#isLinked(current)) {
      if (current.size === 0 || current.size + bytes <= maxSegmentBytes) return current
      this.trySeal()
      onRotated(current)
    }
    this.#drop()
    const made = mkdirSync(directory, { recursive: true, mode: 0o700 })
    // Readers take the key from there, and it went with the directory.
    if (made !== undefined) showPublicKey(directory, this.#options.key.publicKey)
    const created = createSegment(directory, { ...this.#options, sequence: this.#sequence })
    this.#sequence = created.sequence + 1
    this.#segment = created
    return created
  }

  /** Asks the kernel now and then only, which costs as much as a third of a write. */
  #isLinked(segment: Segment): boolean {
    const nowMs = this.#options.nowMs()
    if (nowMs >= this.#linkedAtMs && nowMs < this.#linkedAtMs + linkedMs) return true
    this.#linkedAtMs = nowMs
    return isLinked(segment)
  }

  #toHeader({ sequence }: Segment): Buffer {
    return frameMetaLine({
      version: 1,
      kind: 'segment',
      time: new Date(this.#options.nowMs()).toISOString(),
      log: this.#log,
      origin: this.#origin(),
      sequence,
      size: this.#tree.size(),
      frontier: this.#tree.frontier().map(toBase64),
      after: this.#after,
      follows: this.#tree.size() === 0 ? this.#options.follows : undefined,
      sealsEverySeconds,
      worker: this.#options.worker,
    })
  }

  #origin(): string {
    return `${this.#options.authority}/${this.#log}`
  }

  #drop(): void {
    if (this.#segment === undefined) return
    const { sequence, size, isTorn } = this.#segment
    if (size > 0) this.#after = { sequence, bytes: size, torn: isTorn ? true : undefined }
    closeSegment(this.#segment)
    this.#segment = undefined
  }
}

function frameAll(lines: readonly Line[], segment: Segment): readonly Buffer[] {
  const batch: Batch = { wholes: 0 }
  return lines.map((line) => (Buffer.isBuffer(line) ? line : line.toBytes(segment, batch)))
}

/** A meta line, framed for the log. */
export function frameMetaLine(meta: MetaLine): Buffer {
  return frameLine(formatMetaLine(meta))
}
