import { fdatasyncSync, fdatasync as fdatasyncWithCallback, mkdirSync, writeSync } from 'node:fs'
import { promisify } from 'node:util'
import type { AuditLogOptions } from './audit-log-options.ts'
import { type DirectoryLock, lockDirectory } from './directory-lock.ts'
import { frameLine } from './framed.ts'
import { GroupCommit } from './group-commit.ts'
import { openLogKey } from './log-key.ts'
import { findPredecessor } from './predecessor.ts'
import { type DecisionRecord, formatRecord } from './record.ts'
import { isDiskFull, Reserve, shrinkReserve } from './reserve.ts'
import { findRetired, removeRetired } from './retention.ts'
import { frameMark, SealedLog } from './sealed-log.ts'
import { StdoutCopy } from './stdout-copy.ts'
import { createUntoldMarks, type UntoldMarks } from './untold-marks.ts'

/** The record could not be written: no record, no allow. */
export class AuditUnavailable extends Error {
  override readonly name = 'AuditUnavailable'
  readonly code = 'audit_unavailable'
}

const mebibyte = 1024 * 1024
const tickMs = 5000
const flushMs = 100
const flushBytes = 64 * 1024
const maxBufferedBytes = 4 * mebibyte
const maxWaiting = 10_000

/** Opens the log: takes its directory, says how the log before it ended, or throws `AuditUnavailable`. */
export function openAuditLog(options: AuditLogOptions): AuditLog {
  try {
    return open(options)
  } catch (cause) {
    // Who starts on a full disk is to say no, not to be absent: the reserve of the process before has room for that.
    if (isDiskFull(cause) && shrinkReserve(options.directory)) return open(options)
    throw new AuditUnavailable('the audit log could not be opened', { cause })
  }
}

function open(options: AuditLogOptions): AuditLog {
  mkdirSync(options.directory, { recursive: true, mode: 0o700 })
  const lock = lockDirectory(options.directory, Date.now())
  try {
    return new AuditLog(options, lock)
  } catch (cause) {
    lock[Symbol.dispose]()
    throw cause
  }
}

/** The log of this process: every record a line, every line a leaf of a tree whose root it signs now and then. */
export class AuditLog implements AsyncDisposable {
  readonly #options: AuditLogOptions
  readonly #lock: DirectoryLock
  readonly #log: SealedLog
  readonly #reserve: Reserve
  readonly #commit: GroupCommit | undefined
  readonly #copy: StdoutCopy | undefined
  readonly #ticking: NodeJS.Timeout
  readonly #flushing: NodeJS.Timeout | undefined
  readonly #untold: UntoldMarks = createUntoldMarks(Date.now)
  #buffer: Buffer[] = []
  #bufferedBytes = 0
  #failedBytes = 0
  /** An outage is told of once, and lasts until the reserve is whole again. */
  #isTold = false
  #isProbing = false
  #isClosed = false

  constructor(options: AuditLogOptions, lock: DirectoryLock) {
    this.#options = options
    this.#lock = lock
    // No path separator may come in by a host name, and a hidden file would escape the reader.
    const origin = options.origin.replace(/[^A-Za-z0-9._-]/g, '_').replace(/^\.+/, '_')
    const write = options.write ?? writeSync
    const key = openLogKey(options.directory, options.key)
    const before = findPredecessor(options.directory)
    this.#log = new SealedLog({
      directory: options.directory,
      origin,
      epochMs: options.epochMs ?? Math.max(Date.now(), (before?.epochMs ?? 0) + 1),
      authority: `${options.authority ?? 'waywarden'}/audit`,
      key,
      follows: before?.found,
      maxSegmentBytes: options.maxSegmentBytes ?? 64 * mebibyte,
      sealEvery: options.sealEvery ?? 1000,
      write,
      nowMs: Date.now,
      // For whoever keeps the copy elsewhere: with it, an end that was cut off is noticed.
      onSealed: (note) =>
        this.#copy?.write(frameMark({ version: 1, kind: 'checkpoint', note, leaves: '' }).subarray(1)),
      onRotated: ({ fd }) => this.#leave(fd),
    })
    this.#reserve = new Reserve(options.directory, options.reserveBytes ?? mebibyte, write)
    const onLost = (cause: unknown): void => options.report({ kind: 'fault', where: 'audit_stdout', cause })
    this.#copy = options.stdout ? new StdoutCopy(process.stdout, onLost) : undefined
    this.#commit = options.mode === 'durable' ? this.#createCommit() : undefined
    this.#ticking = setInterval(() => this.#tick(), tickMs).unref()
    if (options.mode === 'buffered') this.#flushing = setInterval(() => this.#tryFlush(), flushMs).unref()
    this.#tryPut([])
    this.#retire()
  }

  /**
   * Keeps one record as the mode says: `written` before it returns, `durable` when its promise resolves. Throws or
   * rejects with `AuditUnavailable`. A log that failed tries again at every call.
   */
  append(record: DecisionRecord): void | Promise<void> {
    const line = frameLine(formatRecord(record))
    const isDenial = record.outcome === 'deny'
    // A denial stands even when its record cannot be written; whatever passed does not, and must not be claimed.
    if (isDenial) this.#copy?.write(line.subarray(1))
    else this.#refuseInOutage(line.length)
    if (this.#options.mode === 'buffered') this.#keepBuffered(line, isDenial)
    else this.#keep([line], isDenial)
    // While no sync succeeds, a denial is content with being in the kernel.
    if (this.#commit === undefined || this.#failedBytes > 0) {
      if (!isDenial) this.#copy?.write(line.subarray(1))
      return
    }
    return this.#commit.wait(line).then(
      () => {
        this.#recover()
        if (!isDenial) this.#copy?.write(line.subarray(1))
      },
      (cause: unknown) => this.#fail(cause, line.length),
    )
  }

  /** Whether the next record can be written. After a failure it finds out with as many bytes as the record that failed had. */
  isAvailable(): boolean {
    if (this.#isClosed) return false
    try {
      if (this.#failedBytes > 0) {
        this.#log.probe(this.#failedBytes)
        if (this.#commit !== undefined) return this.#probeSync(this.#commit)
      }
      if (!this.#reserve.isWhole && !this.#reserve.refill()) return false
      this.#recover()
      return true
    } catch {
      return false
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#ticking)
    clearInterval(this.#flushing)
    this.#tryFlush()
    await this.#commit?.[Symbol.asyncDispose]()
    this.#isClosed = true
    this.#log.trySeal()
    if (this.#commit !== undefined && this.#log.segment !== undefined) this.#leave(this.#log.segment.fd)
    this.#log[Symbol.dispose]()
    this.#reserve[Symbol.dispose]()
    this.#lock[Symbol.dispose]()
    await this.#copy?.[Symbol.asyncDispose]()
  }

  #keepBuffered(line: Buffer, isDenial: boolean): void {
    const isFull = this.#bufferedBytes + line.length > maxBufferedBytes
    // While nothing can be written, only denials are taken on trust, and not without end.
    if (isFull || (this.#failedBytes > 0 && !isDenial)) this.#flush()
    this.#buffer.push(line)
    this.#bufferedBytes += line.length
    if (this.#bufferedBytes >= flushBytes && this.#failedBytes === 0) this.#tryFlush()
  }

  #flush(): void {
    if (this.#buffer.length === 0) return
    this.#keep(this.#buffer, false)
    this.#buffer = []
    this.#bufferedBytes = 0
  }

  #tryFlush(): void {
    try {
      this.#flush()
    } catch {
      // Told once an outage, and tried again with the next record and the next moment.
    }
  }

  #refuseInOutage(bytes: number): void {
    if (this.#isClosed) return
    if (!this.#reserve.isWhole && !this.#reserve.refill()) {
      this.#fail(new RangeError('the disk has no room for the reserve'), bytes)
    }
    // Each further try would leave another file behind; `isAvailable` finds out when syncs succeed again.
    if (this.#commit !== undefined && this.#failedBytes > 0) {
      this.#fail(new RangeError('the disk does not sync'), bytes)
    }
  }

  /** A sync that hangs must not stop everything else: it is asked for, and its answer counts the next time. */
  #probeSync(commit: GroupCommit): boolean {
    if (this.#isProbing) return false
    this.#isProbing = true
    void commit.probe().then((isSynced) => {
      this.#isProbing = false
      if (isSynced && (this.#reserve.isWhole || this.#reserve.refill())) this.#recover()
    })
    return false
  }

  #keep(lines: readonly Buffer[], isDenial: boolean): void {
    const bytes = lines.reduce((sum, line) => sum + line.length, 0)
    try {
      this.#put(lines)
    } catch (cause) {
      // What a reserve is for: that the denials of a full disk are on record.
      const isHelped =
        isDenial && isDiskFull(cause) && this.#reserve.release(bytes + flushBytes) && this.#tryPut(lines)
      if (isHelped) return
      if (isDenial) this.#untold.countDenial()
      // A full disk is no fault of the file; any other fault may be.
      if (!isDiskFull(cause)) this.#log.leaveSegment()
      this.#fail(cause, bytes)
    }
    // In `durable` it is the sync that tells whether the disk works.
    if (this.#commit === undefined) this.#recover()
  }

  #put(lines: readonly Buffer[]): void {
    if (this.#isClosed) throw new RangeError('the log is closed')
    const told = this.#untold.toLines()
    this.#log.put(told.length === 0 ? lines : [...told, ...lines])
    if (told.length > 0) this.#untold.clear()
  }

  #tryPut(lines: readonly Buffer[]): boolean {
    try {
      this.#put(lines)
      return true
    } catch {
      return false
    }
  }

  #fail(cause: unknown, bytes: number): never {
    this.#failedBytes = bytes
    const error = new AuditUnavailable('the record could not be written', { cause })
    if (!this.#isTold) this.#options.report({ kind: 'fault', where: 'audit', cause: error })
    this.#isTold = true
    throw error
  }

  #recover(): void {
    this.#failedBytes = 0
    if (this.#reserve.isWhole) this.#isTold = false
  }

  #tick(): void {
    this.#lock.refresh()
    this.#log.trySeal()
    this.#retire()
  }

  #retire(): void {
    const { directory, retention } = this.#options
    if (retention === undefined) return
    try {
      const retired = findRetired(directory, this.#log.segment?.path, retention, Date.now())
      if (retired === undefined) return
      // Said and signed before it is done; on a full disk it is done all the same, and said with the next line.
      this.#untold.add(retired.mark)
      this.#tryPut([])
      this.#log.trySeal()
      removeRetired(retired)
    } catch (cause) {
      this.#options.report({ kind: 'fault', where: 'audit_retention', cause })
    }
  }

  #createCommit(): GroupCommit {
    return new GroupCommit({
      fd: () => this.#log.segment?.fd ?? -1,
      sync: this.#options.sync ?? promisify(fdatasyncWithCallback),
      rewrite: (lines) => {
        this.#log.leaveSegment()
        this.#put(lines)
      },
      maxWaiting,
    })
  }

  /** What waits in a file that is left must be on the disk, or be written again to the next. */
  #leave(fd: number): void {
    if (this.#commit === undefined) return
    try {
      fdatasyncSync(fd)
    } catch {
      this.#commit.lose()
    }
  }
}
