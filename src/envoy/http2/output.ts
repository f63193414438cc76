import { frameHeaderBytes, writeFrameHeader } from './frames.ts'

/** Buffers that are free again: connections share them, for each needs one only while it has something to say. */
export type BufferPool = { readonly free: Buffer[] }

/** What a connection has to say, gathered so that one read is answered by one write. */
export type Output = {
  readonly pool: BufferPool
  /** Passes bytes on; says whether they may be overwritten when it returns. */
  readonly write: (bytes: Buffer) => boolean
  buffer: Buffer
  /** How far `buffer` is filled. */
  at: number
}

const bufferBytes = 64 * 1024
const maxFree = 16
const noBuffer = Buffer.alloc(0)

/** An output that holds no buffer until something is put into it. */
export function createOutput(pool: BufferPool, write: (bytes: Buffer) => boolean): Output {
  return { pool, write, buffer: noBuffer, at: 0 }
}

/** Makes room at `output.at`, which the caller fills and moves on. */
export function reserve(output: Output, bytes: number): Buffer {
  if (output.at + bytes <= output.buffer.length) return output.buffer
  flush(output)
  output.buffer =
    bytes > bufferBytes
      ? Buffer.allocUnsafeSlow(bytes)
      : (output.pool.free.pop() ?? Buffer.allocUnsafeSlow(bufferBytes))
  return output.buffer
}

/** Puts bytes as they are. */
export function put(output: Output, bytes: Uint8Array): void {
  reserve(output, bytes.length).set(bytes, output.at)
  output.at += bytes.length
}

/** Puts a frame with the payload `start` to `end` of `payload`. */
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

/** Sends what was put. */
export function flush(output: Output): void {
  const { buffer, at, pool } = output
  output.buffer = noBuffer
  output.at = 0
  if (at > 0 && !output.write(buffer.subarray(0, at))) return
  if (buffer.length === bufferBytes && pool.free.length < maxFree) pool.free.push(buffer)
}
