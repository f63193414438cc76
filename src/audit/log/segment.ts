import { closeSync, fstatSync, ftruncateSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { isErrno } from '../../base/model/fault.ts'
import type { Hash } from '../format/merkle.ts'

/** Appends part of a buffer to a file and returns the number of bytes written, like `writeSync` of `node:fs`. */
export type WriteBytes = (fd: number, bytes: Uint8Array, offset: number, length: number) => number

/** One file of the log, open for appending, owned by this process alone. */
export type Segment = {
  readonly path: string
  readonly fd: number
  readonly sequence: number
  /** The size of its whole lines in bytes. */
  size: number
  /** True if a failed write left bytes after `size` that could not be cut off. Nothing may be appended then. */
  isTorn: boolean
}

/** Lines that are written together, as far as their bytes are known. */
export type Batch = {
  /** The number of records in it that are written in full. */
  wholes: number
}

/** A framed line to append (see framed.ts): its bytes, or a function that makes them for a segment. */
export type Line =
  | Buffer
  | {
      /** Returns its bytes after the lines of `batch`, and counts it there. */
      readonly toBytes: (segment: Segment, batch: Batch) => Buffer
      /** Called when the line has been written, with its leaf hash. */
      readonly onKept: (segment: Segment, leaf: Hash) => void
    }

/** The parts of a segment's file name: the log (replica and start time) and a sequence number. */
export type SegmentName = { readonly origin: string; readonly epochMs: number; readonly sequence: number }

const exists = 'EEXIST'
const maxAttempts = 1000

/**
 * Creates the next segment exclusively. Two processes never share a file, and an existing file or link is never written
 * to.
 */
export function createSegment(directory: string, first: SegmentName): Segment {
  for (let attempt = 0; ; attempt++) {
    const name = { ...first, sequence: first.sequence + attempt }
    const path = join(directory, formatSegmentName(name))
    try {
      return { path, fd: openSync(path, 'ax', 0o600), sequence: name.sequence, size: 0, isTorn: false }
    } catch (cause) {
      if (!isErrno(cause, exists) || attempt === maxAttempts) throw cause
    }
  }
}

/** Returns the log's name. */
export function formatLogName({ origin, epochMs }: Pick<SegmentName, 'origin' | 'epochMs'>): string {
  return `${origin}-${epochMs}`
}

/** Returns a segment's file name. */
export function formatSegmentName(name: SegmentName): string {
  return `${formatLogName(name)}-${String(name.sequence).padStart(6, '0')}.ndjson`
}

/** Parses a segment's file name; `undefined` if it is none. Each segment has one spelling: `01` does not mean `1`. */
export function parseSegmentName(file: string): SegmentName | undefined {
  const [, origin, epoch, sequence] = /^(.+)-(\d{1,15})-(\d{6,9})\.ndjson$/.exec(file) ?? []
  if (origin === undefined) return undefined
  const name = { origin, epochMs: Number(epoch), sequence: Number(sequence) }
  return formatSegmentName(name) === file ? name : undefined
}

/** The largest `epochMs` that a file name can hold. */
export const maxEpochMs = 999_999_999_999_999

/** Orders segments by the start of their log, then by number. */
export function bySegmentAge(one: SegmentName, other: SegmentName): number {
  return (
    one.epochMs - other.epochMs || one.origin.localeCompare(other.origin) || one.sequence - other.sequence
  )
}

/** Appends whole lines, all or none: the bytes of a failed write are cut off again. Throws the kernel's error. */
export function appendLines(segment: Segment, lines: Uint8Array, write: WriteBytes): void {
  let offset = 0
  try {
    while (offset < lines.length) {
      const written = write(segment.fd, lines, offset, lines.length - offset)
      if (written <= 0) throw new RangeError(`expected bytes to be written, found ${written}`)
      offset += written
    }
    segment.size += lines.length
  } catch (cause) {
    if (offset > 0) cutBack(segment)
    throw cause
  }
}

/** Tests whether this many bytes could be appended, and leaves nothing behind. Throws the kernel's error. */
export function probe(segment: Segment, bytes: number, write: WriteBytes): void {
  const { size } = segment
  appendLines(segment, Buffer.alloc(bytes, '\n'), write)
  segment.size = size
  cutBack(segment)
}

/** True if the file still has a name. Data that is written to a deleted file is lost. */
export function isLinked(segment: Segment): boolean {
  return fstatSync(segment.fd).nlink > 0
}

/** Closes the file descriptor. */
export function closeSegment(segment: Segment): void {
  try {
    closeSync(segment.fd)
  } catch {
    // After an I/O error `close` may report it again; the descriptor is free either way (close(2)).
  }
}

function cutBack(segment: Segment): void {
  try {
    ftruncateSync(segment.fd, segment.size)
  } catch {
    segment.isTorn = true
  }
}
