import { fdatasyncSync, fdatasync as fdatasyncWithCallback, writeSync } from 'node:fs'
import { promisify } from 'node:util'
import type { RecordParts } from '../../base/model/record-parts.ts'
import type { MetaLine } from '../format/meta-line.ts'
import type { Line } from '../log/segment.ts'
import { type AuditLogOptions, toSealedLogOptions } from './audit-log-options.ts'
import type { DirectoryLock } from './directory-lock.ts'
import { createEntry, type Entry } from './entry.ts'
import { GroupCommit } from './group-commit.ts'
import { Outage } from './outage.ts'
import { createPendingLines, type PendingLines } from './pending-lines.ts'
import { createRepeatTargets, type RepeatTargets } from './repeat-targets.ts'
import { isDiskFull, Reserve } from './reserve.ts'
import { retire } from './retention.ts'
import { frameMetaLine, SealedLog } from './sealed-log.ts'
import { StdoutCopy } from './stdout-copy.ts'
import { WriteBuffer } from './write-buffer.ts'

const reserveBytes = 1024 * 1024
const tickMs = 5000
/** Released from the reserve in addition to the record's size. */
const releaseBytes = 64 * 1024
const maxWaiting = 10_000

/**
 * The audit log of this process. Every record is a line, and every line a leaf of a Merkle tree whose root is signed
 * regularly.
 */
export class AuditLog implements AsyncDisposable {
  readonly #options: AuditLogOptions
  readonly #lock: DirectoryLock
  readonly #log: SealedLog
  readonly #reserve: Reserve
  readonly #commit: GroupCommit | undefined
  readonly #copy: StdoutCopy | undefined
  readonly #ticking: NodeJS.Timeout
  readonly #buffer: WriteBuffer | undefined
  readonly #outage: Outage
  readonly #repeatTargets: RepeatTargets = createRepeatTargets()
  readonly #pendingLines: PendingLines = createPendingLines(Date.now)
  #isProbing = false
  #isClosed = false

  constructor(options: AuditLogOptions, lock: DirectoryLock) {
    this.#options = options
    this.#lock = lock
    this.#outage = new Outage(options.report)
    const write = options.write ?? writeSync
    this.#log = new SealedLog(
      toSealedLogOptions(options, {
        // A copy of the checkpoint elsewhere later shows if the end of the log was cut off.
        onSealed: (note) =>
          this.#copy?.write(frameMetaLine({ version: 1, kind: 'checkpoint', note, leaves: '' }).subarray(1)),
        onRotated: ({ fd }) => this.#leave(fd),
      }),
    )
    this.#reserve = new Reserve(options.directory, options.reserveBytes ?? reserveBytes, write)
    const onLost = (cause: unknown): void => options.report({ kind: 'fault', where: 'audit_stdout', cause })
    this.#copy = options.stdout ? new StdoutCopy(process.stdout, onLost) : undefined
    this.#commit = options.mode === 'durable' ? this.#createCommit() : undefined
    this.#ticking = setInterval(() => this.#tick(), tickMs).unref()
    this.#buffer =
      options.mode === 'buffered' ? new WriteBuffer((lines) => this.#keep(lines, false)) : undefined
    this.#tryPut([])
    this.#retire()
  }

  /**
   * Writes one record according to the mode: `written` before it returns, `durable` when its promise resolves. Throws or
   * rejects with `AuditUnavailable`. After a failure, every call tries again.
   */
  append(parts: RecordParts): void | Promise<void> {
    const entry = this.#toEntry(parts)
    const isDenial = parts.decision.kind === 'deny' && parts.isObserved !== true
    // A denial stands even if its record cannot be written. An allow does not, so the copy must not contain it.
    if (isDenial) this.#writeCopy(entry)
    else this.#refuseInOutage(entry)
    if (this.#buffer === undefined) this.#keep([entry], isDenial)
    else this.#buffer.add(entry, entry.sizeIn(this.#log.segment), this.#outage.failedBytes > 0, isDenial)
    // While syncs fail, a denial only has to reach the kernel.
    if (this.#commit === undefined || this.#outage.failedBytes > 0) {
      if (!isDenial) this.#writeCopy(entry)
      return
    }
    return this.#commit.wait(entry).then(
      () => {
        this.#recover()
        if (!isDenial) this.#writeCopy(entry)
      },
      (cause: unknown) => this.#outage.fail(cause, entry.sizeIn(this.#log.segment)),
    )
  }

  /**
   * Writes several records with one write, as `written`: all of them, or none and `false`. The reaction to a failing disk
   * depends on each record, so it is left to `append`.
   */
  tryAppendAll(all: readonly RecordParts[]): boolean {
    if (this.#outage.failedBytes > 0 || !this.#reserve.isWhole) return false
    const entries = all.map((parts) => this.#toEntry(parts))
    if (!this.#tryPut(entries)) return false
    if (this.#copy !== undefined) for (const entry of entries) this.#writeCopy(entry)
    return true
  }

  /** The log's name in its files. */
  get name(): string {
    return this.#log.name
  }

  /** Names the logs of other workers. */
  nameBeside(logs: readonly string[]): void {
    if (!this.#isClosed) this.#log.nameBeside(logs)
  }

  /** Writes a meta line if it can be written now. Nothing depends on it. */
  tell(meta: MetaLine): void {
    const line = frameMetaLine(meta)
    if (this.#tryPut([line])) this.#copy?.write(line.subarray(1))
  }

  /** True if the next record can be written. After a failure it probes with the size of the failed record. */
  isAvailable(): boolean {
    if (this.#isClosed) return false
    try {
      if (this.#outage.failedBytes > 0) {
        this.#log.probe(this.#outage.failedBytes)
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
    this.#buffer?.[Symbol.dispose]()
    await this.#commit?.[Symbol.asyncDispose]()
    this.#isClosed = true
    this.#log.end()
    if (this.#commit !== undefined && this.#log.segment !== undefined) this.#leave(this.#log.segment.fd)
    this.#log[Symbol.dispose]()
    this.#reserve[Symbol.dispose]()
    this.#lock[Symbol.dispose]()
    await this.#copy?.[Symbol.asyncDispose]()
  }

  #toEntry(parts: RecordParts): Entry {
    const { pseudonymize, stdout: isCopied } = this.#options
    return createEntry(parts, { repeatTargets: this.#repeatTargets, pseudonymize, isCopied })
  }

  #writeCopy(entry: Entry): void {
    this.#copy?.write(entry.toCopy(this.#log.segment))
  }

  #refuseInOutage(entry: Entry): void {
    if (this.#isClosed) return
    const isFull = !this.#reserve.isWhole && !this.#reserve.refill()
    // Each further try would create another file; `isAvailable` detects when syncs succeed again.
    const isStuck = this.#commit !== undefined && this.#outage.failedBytes > 0
    if (!isFull && !isStuck) return
    const cause = isFull ? 'the disk has no room for the reserve' : 'the disk does not sync'
    this.#outage.fail(new RangeError(cause), entry.sizeIn(this.#log.segment))
  }

  /**
   * A hanging sync must not block the process. The probe runs in the background and its result counts on the next call.
   */
  #probeSync(commit: GroupCommit): boolean {
    if (this.#isProbing) return false
    this.#isProbing = true
    void commit.probe().then((isSynced) => {
      this.#isProbing = false
      if (isSynced && (this.#reserve.isWhole || this.#reserve.refill())) this.#recover()
    })
    return false
  }

  #keep(entries: readonly Entry[], isDenial: boolean): void {
    try {
      this.#put(entries)
    } catch (cause) {
      const bytes = entries.reduce((sum, entry) => sum + entry.sizeIn(this.#log.segment), 0)
      // The reserve exists so that denials are recorded on a full disk.
      const isHelped =
        isDenial && isDiskFull(cause) && this.#reserve.release(bytes + releaseBytes) && this.#tryPut(entries)
      if (isHelped) return
      if (isDenial) this.#pendingLines.countDenial()
      // A full disk is not the file's fault; any other error may be.
      if (!isDiskFull(cause)) this.#log.leaveSegment()
      this.#outage.fail(cause, bytes)
    }
    // In `durable` mode only a sync shows whether the disk works.
    if (this.#commit === undefined) this.#recover()
  }

  #put(lines: readonly Line[]): void {
    if (this.#isClosed) throw new RangeError('the log is closed')
    const told = this.#pendingLines.toLines()
    this.#log.put(told.length === 0 ? lines : [...told, ...lines])
    if (told.length > 0) this.#pendingLines.clear()
  }

  #tryPut(lines: readonly Line[]): boolean {
    try {
      this.#put(lines)
      return true
    } catch {
      return false
    }
  }

  #recover(): void {
    this.#outage.recover(this.#reserve.isWhole)
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
      retire(directory, this.#log.segment?.path, retention, Date.now(), (meta) => {
        this.#pendingLines.add(meta)
        this.#tryPut([])
        this.#log.trySeal()
      })
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

  /** Lines that wait for a sync of the abandoned file must reach the disk, or are written again to the next file. */
  #leave(fd: number): void {
    if (this.#commit === undefined) return
    try {
      fdatasyncSync(fd)
    } catch {
      this.#commit.lose()
    }
  }
}
