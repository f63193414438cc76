import { closeSync, constants, fstatSync, ftruncateSync, lstatSync, openSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { isErrno } from '../../base/model/fault.ts'
import type { WriteBytes } from '../log/segment.ts'

/** Where the ballast lies beside the log. */
export const reserveFile = 'reserve'
const blockBytes = 64 * 1024
const { O_WRONLY, O_CREAT, O_APPEND, O_NOFOLLOW } = constants

/** Whether the kernel said that there is no room: no fault of the file. */
export function isDiskFull(cause: unknown): boolean {
  return isErrno(cause, 'ENOSPC') || isErrno(cause, 'EDQUOT')
}

/** Gives up part of a reserve that another process has left; `false` when there is none. */
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

/** Room on disk that is given up so that a full disk still takes the records of denials. */
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

  /** Allows are only recorded while the reserve is whole: they must not use it up. */
  get isWhole(): boolean {
    return this.#bytes >= this.#wantedBytes
  }

  /** Gives up at least that much of the disk; `false` when there is no more to give. */
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

  /** Takes back what was given up, as far as the disk lets it. */
  refill(): boolean {
    try {
      this.#fd ??= this.#open()
      // Zeros that are really written: a hole would reserve nothing.
      const block = Buffer.alloc(blockBytes)
      while (this.#bytes < this.#wantedBytes) {
        const wanted = Math.min(blockBytes, this.#wantedBytes - this.#bytes)
        const written = this.#write(this.#fd, block, 0, wanted)
        this.#bytes += written
        if (written < wanted) break
      }
    } catch {
      // The reserve is not whole. The caller learns it, and tries again.
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
      // It is opened again at each try.
      closeSync(fd)
      throw cause
    }
  }

  [Symbol.dispose](): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }
}
