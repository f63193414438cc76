import { writeSync } from 'node:fs'
import type { WriteBytes } from '../../src/audit/log/segment.ts'

/** A disk that from some moment takes a few more bytes and then fails as the kernel would. */
export function failingDisk(): {
  write: WriteBytes
  fail: (code: string, room: number) => void
  repair: () => void
} {
  let fault: { code: string; room: number } | undefined
  return {
    write: (fd, bytes, offset, length) => {
      if (fault === undefined) return writeSync(fd, bytes, offset, length)
      if (fault.room === 0) throw Object.assign(new Error('the disk failed'), { code: fault.code })
      const written = writeSync(fd, bytes, offset, Math.min(fault.room, length))
      fault.room -= written
      return written
    },
    fail: (code, room) => {
      fault = { code, room }
    },
    repair: () => {
      fault = undefined
    },
  }
}
