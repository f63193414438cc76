import { closeSync, constants, fstatSync, ftruncateSync, lstatSync, openSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { isErrno } from '../../base/model/fault.ts'
import type { WriteBytes } from '../log/segment.ts'

/** The reserve file beside the log. */
export const reserveFile = 'reserve'
const blockBytes = 64 * 1024
const { O_WRONLY, O_CREAT, O_APPEND, O_NOFOLLOW } = constants

/** True if the disk is full, which is not the file's fault. */
export function isDiskFull(cause: unknown): boolean {
  return isErrno(cause, 'ENOSPC') || isErrno(cause, 'EDQUOT')
}

/** Shrinks the reserve of a previous process; `false` if there is none. */
export function shrinkReserve(directory: string): boolean {
  try {
    const path = join(directory, reserveFile)
    const { size } = lstatSync(path)
    if (size < blockBytes) return false
    truncateSync(path, size - blockBytes)
    return true
  } catch {
    return false
  }
}

/** Disk space that is released on a full disk, so that denials can still be recorded. */
export class Reserve implements Disposable {
  readonly #directory: string
  readonly #wantedBytes: number
  readonly #write: WriteBytes
  #fd: number | undefined
  #bytes = 0

  constructor(directory: string, wantedBytes: number, write: WriteBytes) {
    this.#directory = directory
    this.#wantedBytes = wantedBytes
    this.#write = write
    this.refill()
  }

  /** Allows are recorded only while the reserve is full, because they must not use it up. */
  get isWhole(): boolean {
    return this.#bytes >= this.#wantedBytes
  }

  /** Releases at least this many bytes; `false` if nothing is left. */
  release(bytes: number): boolean {
    if (this.#fd === undefined || this.#bytes === 0) return false
    try {
      const kept = Math.max(0, this.#bytes - Math.ceil(bytes / blockBytes) * blockBytes)
      ftruncateSync(this.#fd, kept)
      this.#bytes = kept
      return true
    } catch {
      return false
    }
  }

  /** Reserves the released space again, as far as the disk allows. */
  refill(): boolean {
    try {
      this.#fd ??= this.#open()
      // Writes real zeros, because a hole would reserve nothing.
      const block = Buffer.alloc(blockBytes)
      while (this.#bytes < this.#wantedBytes) {
        const wanted = Math.min(blockBytes, this.#wantedBytes - this.#bytes)
        const written = this.#write(this.#fd, block, 0, wanted)
        this.#bytes += written
        if (written < wanted) break
      }
    } catch {
      // The reserve is not full. The caller sees it and tries again.
    }
    return this.isWhole
  }

  #open(): number {
    const path = join(this.#directory, reserveFile)
    const fd = openSync(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0o600)
    try {
      this.#bytes = fstatSync(fd).size
      return fd
    } catch (cause) {
      // Each try opens it again.
      closeSync(fd)
      throw cause
    }
  }

  [Symbol.dispose](): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }
}
