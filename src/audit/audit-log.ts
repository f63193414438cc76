import { mkdirSync, writeSync } from 'node:fs'
import type { Report } from '../model/event.ts'
import { type DecisionRecord, formatRecord } from './record.ts'
import {
  appendLine,
  closeSegment,
  createSegment,
  isLinked,
  type Segment,
  type SegmentName,
  type WriteBytes,
} from './segment.ts'
import { StdoutCopy } from './stdout-copy.ts'

/** How the log is kept. */
export type AuditLogOptions = {
  readonly directory: string
  /** `written`: a record is in the kernel before the answer leaves, so that killing the process loses none. */
  readonly mode: 'written'
  /** Whether each line also goes to standard output, for the cluster's log pipeline. */
  readonly stdout: boolean
  /** Names this replica in file names: letters, digits, `.`, `_`, `-`. */
  readonly origin: string
  readonly report: Report
  readonly maxSegmentBytes?: number
  readonly epochMs?: number
  readonly write?: WriteBytes
}

/** The record could not be written: no record, no allow. */
export class AuditUnavailable extends Error {
  override readonly name = 'AuditUnavailable'
  readonly code = 'audit_unavailable'
}

const mebibyte = 1024 * 1024
const full = new Set(['ENOSPC', 'EDQUOT'])

/** Opens the log: creates its directory and first segment, or throws `AuditUnavailable`. */
export function openAuditLog(options: AuditLogOptions): AuditLog {
  return new AuditLog(options)
}

/** An append-only log in numbered segment files that only this process writes. */
export class AuditLog implements AsyncDisposable {
  readonly #options: AuditLogOptions
  readonly #maxSegmentBytes: number
  readonly #write: WriteBytes
  readonly #copy: StdoutCopy | undefined
  #next: SegmentName
  #segment: Segment | undefined
  #failedBytes = 0
  #isClosed = false

  constructor(options: AuditLogOptions) {
    this.#options = options
    this.#maxSegmentBytes = options.maxSegmentBytes ?? 64 * mebibyte
    this.#write = options.write ?? writeSync
    // No path separator may come in by a host name, and a hidden file would escape the reader.
    const origin = options.origin.replace(/[^A-Za-z0-9._-]/g, '_').replace(/^\.+/, '_')
    this.#next = { origin, epochMs: options.epochMs ?? Date.now(), sequence: 0 }
    this.#attempt(() => this.#segmentFor(0))
    const onLost = (cause: unknown): void => options.report({ kind: 'fault', where: 'audit_stdout', cause })
    this.#copy = options.stdout ? new StdoutCopy(process.stdout, onLost) : undefined
  }

  /** Writes one record before it returns, or throws `AuditUnavailable`. A log that failed tries again at every call. */
  append(record: DecisionRecord): void {
    const line = Buffer.from(formatRecord(record))
    // An allow does not stand without its record, so it must not be claimed before; everything else stands.
    if (record.outcome !== 'allow') this.#copy?.write(line)
    this.#attempt(() => appendLine(this.#segmentFor(line.length), line, this.#write), line.length)
    if (record.outcome === 'allow') this.#copy?.write(line)
  }

  /** Whether the next record can be written. After a failure it finds out with a blank line as long as the record that failed. */
  isAvailable(): boolean {
    if (this.#isClosed) return false
    if (this.#failedBytes === 0) return true
    const blank = Buffer.alloc(this.#failedBytes, ' ')
    blank[blank.length - 1] = 0x0a
    try {
      this.#attempt(() => appendLine(this.#segmentFor(blank.length), blank, this.#write), blank.length)
      return true
    } catch {
      return false
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    this.#drop()
    await this.#copy?.[Symbol.asyncDispose]()
  }

  #segmentFor(bytes: number): Segment {
    if (this.#isClosed) throw new RangeError('the log is closed')
    const current = this.#segment
    const isFull = current !== undefined && current.size > 0 && current.size + bytes > this.#maxSegmentBytes
    if (current !== undefined && !isFull && isLinked(current)) return current
    this.#drop()
    mkdirSync(this.#options.directory, { recursive: true, mode: 0o700 })
    const created = createSegment(this.#options.directory, this.#next)
    this.#next = { ...this.#next, sequence: created.sequence + 1 }
    this.#segment = created
    return created
  }

  #attempt(write: () => unknown, bytes = 1): void {
    try {
      write()
      this.#failedBytes = 0
    } catch (cause) {
      // A full disk is no fault of the file. Any other fault may be; but an empty segment is tried again, so that
      // a failing disk is not littered with them.
      const isFileSound = cause instanceof Error && 'code' in cause && full.has(String(cause.code))
      if (!isFileSound && this.#segment !== undefined && this.#segment.size > 0) this.#drop()
      const wasAvailable = this.#failedBytes === 0
      this.#failedBytes = bytes
      const error = new AuditUnavailable('the record could not be written', { cause })
      if (wasAvailable) this.#options.report({ kind: 'fault', where: 'audit', cause: error })
      throw error
    }
  }

  #drop(): void {
    if (this.#segment !== undefined) closeSegment(this.#segment)
    this.#segment = undefined
  }
}
