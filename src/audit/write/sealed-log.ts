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

/** Options for writing and sealing a log. */
export type SealedLogOptions = {
  readonly directory: string
  /** Names the log in its files: the replica and the start time. */
  readonly origin: string
  readonly epochMs: number
  /** The prefix of the log's name in checkpoints, which makes it unique. */
  readonly authority: string
  readonly key: LogKey
  readonly follows: FoundLog | undefined
  readonly maxSegmentBytes: number
  /** The number of lines after which a checkpoint follows. */
  readonly sealEvery: number
  /** The number of the worker that writes the log. */
  readonly worker?: number | undefined
  /** Logs in other folders of the audit directory at the start. */
  readonly beside?: readonly string[]
  readonly write: WriteBytes
  readonly nowMs: () => number
  readonly onSealed: (note: string) => void
  /** Called when a segment is full, before it is closed. */
  readonly onRotated: (segment: Segment) => void
}

/** The maximum time of writing to a deleted segment before it is noticed. */
const linkedMs = 100
/** The interval of checkpoints without other lines. A log that ends without one was cut off, or its writer died. */
export const sealsEverySeconds = 60

/**
 * An append-only log in numbered segments. Every line is a leaf of one Merkle tree; signed checkpoints are lines between
 * the records.
 */
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
  /** The segment of the last checkpoint. */
  #sealedInSegment: Segment | undefined
  #beside: readonly string[]
  /** True if a checkpoint of this segment already names the logs in other folders. */
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

  /** The segment for the next line, if a file is open. */
  get segment(): Segment | undefined {
    return this.#segment
  }

  /** Appends lines, all or none. Throws the kernel's error. */
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
   * Signs a checkpoint over all lines since the last one; `false` if it cannot be written. Without new lines it signs at
   * intervals, to show that the writer is alive.
   */
  trySeal(): boolean {
    const isNew = this.#tree.size() !== this.#sealedSize || !this.#isBesideNamed
    // A clock that was set back must not stop the signing.
    const isDue = Math.abs(this.#options.nowMs() - this.#sealedAtMs) >= sealsEverySeconds * 1000
    return isNew || isDue ? this.#seal() : true
  }

  /** Names the logs in other folders of the audit directory, so that none of them can be removed unnoticed. */
  nameBeside(logs: readonly string[]): void {
    if (logs.every((log) => this.#beside.includes(log))) return
    this.#beside = [...logs]
    this.#isBesideNamed = false
    this.trySeal()
  }

  /** Signs that the log ends: the last checkpoint but one says so, and the last one signs that. */
  end(): void {
    if (this.#isClosed) return
    if (this.#seal(true)) this.#seal()
    this.#isClosed = true
  }

  #seal(end?: true): boolean {
    const { key, onSealed } = this.#options
    const segment = this.#segment
    const size = this.#tree.size()
    // A segment without its first line gets it with its next record.
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
      // Evidence without a seal is still evidence. The next checkpoint covers these lines too.
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

  /** Tests whether this many bytes could be written. Throws the kernel's error. */
  probe(bytes: number): void {
    probe(this.#segmentFor(bytes), bytes, this.#options.write)
  }

  /**
   * Continues in a new file, because this one cannot be trusted. An empty file is kept, so that a failing disk does not
   * collect files.
   */
  leaveSegment(): void {
    if (this.#segment !== undefined && (this.#segment.size > 0 || this.#segment.isTorn)) this.#drop()
  }

  [Symbol.dispose](): void {
    this.end()
    this.#drop()
  }

  /** Appends framed lines, after the segment's first line if it is missing. */
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
    // Readers use the key in the directory, which was removed with it.
    if (made !== undefined) showPublicKey(directory, this.#options.key.publicKey)
    const created = createSegment(directory, { ...this.#options, sequence: this.#sequence })
    this.#sequence = created.sequence + 1
    this.#segment = created
    return created
  }

  /** Asks the kernel only at intervals, because it costs a third of a write. */
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
