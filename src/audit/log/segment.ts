import { closeSync, fstatSync, ftruncateSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { isErrno } from '../../base/model/fault.ts'
import type { Hash } from '../format/merkle.ts'

/** Writes part of a buffer at the end of a file and returns how much; `node:fs` `writeSync` is one. */
export type WriteBytes = (fd: number, bytes: Uint8Array, offset: number, length: number) => number

/** One file of the log, open for appending and owned by this process alone. */
export type Segment = {
  readonly path: string
  readonly fd: number
  readonly sequence: number
  /** How many bytes of it are whole lines. */
  size: number
  /** A failed write left bytes behind `size` that could not be cut off: nothing may follow them. */
  isTorn: boolean
}

/** What is written at once, as far as it has its bytes. */
export type Batch = {
  /** How many of its lines are records that stand whole. */
  wholes: number
}

/** What is appended, framed (framed.ts): bytes, or what makes them for the segment in which they are to stand. */
export type Line =
  | Buffer
  | {
      /** Its bytes behind those of the batch, in which it is counted. */
      readonly toBytes: (segment: Segment, batch: Batch) => Buffer
      /** Told that the line stands there, and which leaf it is. */
      readonly onKept: (segment: Segment, leaf: Hash) => void
    }

/** How a segment is named: by the log it belongs to (a replica, and when that began), and its number. */
export type SegmentName = { readonly origin: string; readonly epochMs: number; readonly sequence: number }

const exists = 'EEXIST'
const maxAttempts = 1000

/**
 * Creates the next segment. Creation is exclusive: no two processes ever share a file, and a file that somebody put
 * there, a link included, is never written to.
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

/** The log's own name. */
export function formatLogName({ origin, epochMs }: Pick<SegmentName, 'origin' | 'epochMs'>): string {
  return `${origin}-${epochMs}`
}

/** A segment's file name. */
export function formatSegmentName(name: SegmentName): string {
  return `${formatLogName(name)}-${String(name.sequence).padStart(6, '0')}.ndjson`
}

/** What a file name says, or `undefined` when it is no segment's. Each segment has one name: `01` is not another way to write `1`. */
export function parseSegmentName(file: string): SegmentName | undefined {
  const [, origin, epoch, sequence] = /^(.+)-(\d{1,15})-(\d{6,9})\.ndjson$/.exec(file) ?? []
  if (origin === undefined) return undefined
  const name = { origin, epochMs: Number(epoch), sequence: Number(sequence) }
  return formatSegmentName(name) === file ? name : undefined
}

/** The largest `epochMs` that a file name can say. */
export const maxEpochMs = 999_999_999_999_999

/** Whether a segment was begun before another: by when its log began, then by its number. */
export function bySegmentAge(one: SegmentName, other: SegmentName): number {
  return (
    one.epochMs - other.epochMs || one.origin.localeCompare(other.origin) || one.sequence - other.sequence
  )
}

/** Appends whole lines, all or none: what a failed write left behind is cut off again. Throws what the kernel said. */
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

/** Whether that much could be appended; nothing stays behind. Throws what the kernel said. */
export function probe(segment: Segment, bytes: number, write: WriteBytes): void {
  const { size } = segment
  appendLines(segment, Buffer.alloc(bytes, '\n'), write)
  segment.size = size
  cutBack(segment)
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

function cutBack(segment: Segment): void {
  try {
    ftruncateSync(segment.fd, segment.size)
  } catch {
    segment.isTorn = true
  }
}
