import { frameHeaderBytes, writeFrameHeader } from './frames/frames.ts'

/** Free buffers that connections share, because each needs one only while it has output. */
export type BufferPool = { readonly free: Buffer[] }

/** The output of a connection, gathered so that one read is answered with one write. */
export type Output = {
  readonly pool: BufferPool
  /** Passes on bytes; returns true if they may be overwritten afterwards. */
  readonly write: (bytes: Buffer) => boolean
  buffer: Buffer
  /** The filled length of `buffer`. */
  at: number
}

const bufferBytes = 64 * 1024
const maxFree = 16
const noBuffer = Buffer.alloc(0)

/** Creates an output that allocates no buffer until something is written. */
export function createOutput(pool: BufferPool, write: (bytes: Buffer) => boolean): Output {
  return { pool, write, buffer: noBuffer, at: 0 }
}

/** Makes room at `output.at`; the caller fills it and advances `at`. */
export function reserve(output: Output, bytes: number): Buffer {
  if (output.at + bytes <= output.buffer.length) return output.buffer
  flush(output)
  output.buffer =
    bytes > bufferBytes
      ? Buffer.allocUnsafeSlow(bytes)
      : (output.pool.free.pop() ?? Buffer.allocUnsafeSlow(bufferBytes))
  return output.buffer
}

/** Appends raw bytes. */
export function put(output: Output, bytes: Uint8Array): void {
  reserve(output, bytes.length).set(bytes, output.at)
  output.at += bytes.length
}

/** Appends a frame whose payload is `start` to `end` of `payload`. */
export function putFrame(
  output: Output,
  type: number,
  flags: number,
  streamId: number,
  payload: Uint8Array,
  start = 0,
  end: number = payload.length,
): void {
  const length = end - start
  const buffer = reserve(output, frameHeaderBytes + length)
  writeFrameHeader(buffer, output.at, length, type, flags, streamId)
  buffer.set(
    start === 0 && end === payload.length ? payload : payload.subarray(start, end),
    output.at + frameHeaderBytes,
  )
  output.at += frameHeaderBytes + length
}

/** Sends the output. */
export function flush(output: Output): void {
  const { buffer, at, pool } = output
  output.buffer = noBuffer
  output.at = 0
  if (at > 0 && !output.write(buffer.subarray(0, at))) return
  if (buffer.length === bufferBytes && pool.free.length < maxFree) pool.free.push(buffer)
}
