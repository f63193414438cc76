import { closeSync, fstatSync, openSync } from 'node:fs'
import { join } from 'node:path'

/** Writes part of a buffer at the end of a file and returns how much; `node:fs` `writeSync` is one. */
export type WriteBytes = (fd: number, bytes: Uint8Array, offset: number, length: number) => number

/** One file of the log, open for appending and owned by this process alone. */
export type Segment = {
  readonly path: string
  readonly fd: number
  size: number
  /** A write ended in the middle of a line, so the next one must end that line first. */
  isTorn: boolean
}

/** How a segment is named: by the replica that writes it, when that began, and its number. Names sort by age. */
export type SegmentName = { readonly origin: string; readonly epochMs: number; readonly sequence: number }

const newline = 0x0a
const exists = 'EEXIST'
const maxAttempts = 1000

/**
 * Creates the next segment. Creation is exclusive, which is also the lock: two processes of one origin never share a
 * file, and a file that somebody put there, a link included, is never written to.
 */
export function createSegment(directory: string, first: SegmentName): Segment & SegmentName {
  for (let attempt = 0; ; attempt++) {
    const name = { ...first, sequence: first.sequence + attempt }
    const path = join(
      directory,
      `${name.origin}-${name.epochMs}-${String(name.sequence).padStart(6, '0')}.ndjson`,
    )
    try {
      return { ...name, path, fd: openSync(path, 'ax', 0o600), size: 0, isTorn: false }
    } catch (cause) {
      if (!isErrno(cause, exists) || attempt === maxAttempts) throw cause
    }
  }
}

/** Appends one line in as few writes as the kernel needs, one as a rule; when it throws, the segment knows what was left behind. */
export function appendLine(segment: Segment, line: Uint8Array, write: WriteBytes): void {
  const bytes = segment.isTorn ? Buffer.concat([Buffer.of(newline), line]) : line
  let offset = 0
  try {
    while (offset < bytes.length) {
      const written = write(segment.fd, bytes, offset, bytes.length - offset)
      if (written <= 0) throw new RangeError(`expected bytes to be written, found ${written}`)
      offset += written
    }
    segment.isTorn = false
  } catch (cause) {
    // One byte of a torn segment's next write is the newline that ends the torn line.
    segment.isTorn = offset > 0 ? bytes[offset - 1] !== newline : segment.isTorn
    throw cause
  } finally {
    segment.size += offset
  }
}

/** Whether the file still has a name: what is written to a deleted file is lost. */
export function isLinked(segment: Segment): boolean {
  return fstatSync(segment.fd).nlink > 0
}

/** Gives the descriptor back. */
export function closeSegment(segment: Segment): void {
  try {
    closeSync(segment.fd)
  } catch {
    // After an I/O error `close` may report it again; the descriptor is free either way (close(2)).
  }
}

function isErrno(cause: unknown, code: string): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === code
}
