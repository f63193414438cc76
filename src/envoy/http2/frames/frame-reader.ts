import { type ErrorCode, errorCode, type Frame, frameHeaderBytes, maxFrameBytes } from './frames.ts'

/** The bytes that every client sends first (RFC 9113 §3.4). */
export const preface: Buffer = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1')

/** Cuts received bytes into frames, independent of packet boundaries. */
export type FrameReader = {
  readonly frame: Frame
  /** A partially received frame, in its own buffer. */
  part: Buffer | undefined
  partBytes: number
  /** The header of a frame whose length is not known yet. */
  readonly header: Buffer
  headerBytes: number
  /** The number of frames that came in parts. */
  parts: number
  prefaceBytes: number
}

/** Creates a reader at the start of a connection. */
export function createFrameReader(): FrameReader {
  const none = Buffer.alloc(0)
  return {
    frame: { type: 0, flags: 0, streamId: 0, bytes: none, start: 0, end: 0 },
    part: undefined,
    partBytes: 0,
    header: Buffer.alloc(frameHeaderBytes),
    headerBytes: 0,
    parts: 0,
    prefaceBytes: 0,
  }
}

/** True if a frame has begun and not ended. */
export function isWithinFrame(reader: FrameReader): boolean {
  return reader.part !== undefined || reader.headerBytes > 0
}

/**
 * Calls `onFrame` for every frame that `chunk` completes, until it returns an error, which is returned. INVARIANT:
 * `chunk` and buffers gathered from it are never written again, so frames may be kept.
 */
export function readFrames(
  reader: FrameReader,
  chunk: Buffer,
  onFrame: (frame: Frame) => ErrorCode | undefined,
): ErrorCode | undefined {
  let at = 0
  if (reader.prefaceBytes < preface.length) {
    at = matchPreface(reader, chunk)
    if (at < 0) return errorCode.protocolError
  }
  while (at < chunk.length) {
    const isWhole =
      !isWithinFrame(reader) &&
      chunk.length - at >= frameHeaderBytes &&
      chunk.length - at >= frameHeaderBytes + lengthAt(chunk, at)
    if (isWhole) {
      const length = lengthAt(chunk, at)
      const fault = deliver(reader, chunk, at, length, onFrame)
      if (fault !== undefined) return fault
      at += frameHeaderBytes + length
    } else {
      at = gather(reader, chunk, at)
      if (at < 0) return errorCode.frameSizeError
      const fault = deliverPart(reader, onFrame)
      if (fault !== undefined) return fault
    }
  }
  return undefined
}

/** Returns how far into `chunk` the preface extends; -1 if it does not match. */
function matchPreface(reader: FrameReader, chunk: Buffer): number {
  let at = 0
  while (reader.prefaceBytes < preface.length && at < chunk.length) {
    if (chunk[at] !== preface[reader.prefaceBytes]) return -1
    at++
    reader.prefaceBytes++
  }
  return at
}

function lengthAt(bytes: Buffer, at: number): number {
  return ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0)
}

/** Copies the missing part of the current frame from `chunk`; -1 if the frame is too large. */
function gather(reader: FrameReader, chunk: Buffer, from: number): number {
  let at = from
  if (!isWithinFrame(reader)) reader.parts++
  if (reader.part === undefined) {
    const wanted = Math.min(frameHeaderBytes - reader.headerBytes, chunk.length - at)
    chunk.copy(reader.header, reader.headerBytes, at, at + wanted)
    reader.headerBytes += wanted
    at += wanted
    if (reader.headerBytes < frameHeaderBytes) return at
    const length = lengthAt(reader.header, 0)
    if (length > maxFrameBytes) return -1
    reader.part = Buffer.allocUnsafe(frameHeaderBytes + length)
    reader.header.copy(reader.part)
    reader.partBytes = frameHeaderBytes
  }
  const wanted = Math.min(reader.part.length - reader.partBytes, chunk.length - at)
  chunk.copy(reader.part, reader.partBytes, at, at + wanted)
  reader.partBytes += wanted
  return at + wanted
}

function deliverPart(
  reader: FrameReader,
  onFrame: (frame: Frame) => ErrorCode | undefined,
): ErrorCode | undefined {
  const { part } = reader
  if (part === undefined || reader.partBytes < part.length) return undefined
  reader.part = undefined
  reader.headerBytes = 0
  return deliver(reader, part, 0, part.length - frameHeaderBytes, onFrame)
}

function deliver(
  reader: FrameReader,
  bytes: Buffer,
  at: number,
  length: number,
  onFrame: (frame: Frame) => ErrorCode | undefined,
): ErrorCode | undefined {
  if (length > maxFrameBytes) return errorCode.frameSizeError
  const { frame } = reader
  frame.type = bytes[at + 3] ?? 0
  frame.flags = bytes[at + 4] ?? 0
  frame.streamId = bytes.readUInt32BE(at + 5) & 0x7fff_ffff
  frame.bytes = bytes
  frame.start = at + frameHeaderBytes
  frame.end = frame.start + length
  return onFrame(frame)
}
