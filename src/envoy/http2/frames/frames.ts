import type { ConnectionFault } from '../../../base/model/event.ts'

/** RFC 9113 §6. */
export const frameType = {
  data: 0x0,
  headers: 0x1,
  priority: 0x2,
  rstStream: 0x3,
  settings: 0x4,
  pushPromise: 0x5,
  ping: 0x6,
  goaway: 0x7,
  windowUpdate: 0x8,
  continuation: 0x9,
} as const

/** Frame flags; a bit's meaning depends on the type. */
export const flag = { ack: 0x1, endStream: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const

/** RFC 9113 §7: the reasons for ending a stream or a connection. */
export const errorCode = {
  noError: 0x0,
  protocolError: 0x1,
  internalError: 0x2,
  flowControlError: 0x3,
  settingsTimeout: 0x4,
  streamClosed: 0x5,
  frameSizeError: 0x6,
  refusedStream: 0x7,
  cancel: 0x8,
  compressionError: 0x9,
  enhanceYourCalm: 0xb,
} as const

/** The code with which a stream or a connection ends. */
export type ErrorCode = (typeof errorCode)[keyof typeof errorCode]

/** Maps the code of a connection for metrics; `undefined` for no error. */
export function toConnectionFault(code: ErrorCode): ConnectionFault | undefined {
  return faultByCode.get(code)
}

const faultByCode: ReadonlyMap<ErrorCode, ConnectionFault> = new Map([
  [errorCode.protocolError, 'protocol_error'],
  [errorCode.internalError, 'internal_error'],
  [errorCode.flowControlError, 'flow_control_error'],
  [errorCode.settingsTimeout, 'settings_timeout'],
  [errorCode.streamClosed, 'stream_closed'],
  [errorCode.frameSizeError, 'frame_size_error'],
  [errorCode.refusedStream, 'refused_stream'],
  [errorCode.cancel, 'cancel'],
  [errorCode.compressionError, 'compression_error'],
  [errorCode.enhanceYourCalm, 'enhance_your_calm'],
])

/** The size of a frame header in bytes. */
export const frameHeaderBytes = 9

/** SETTINGS_MAX_FRAME_SIZE: ours, and the smallest that a peer may set. So no larger frame is ever sent. */
export const maxFrameBytes = 16_384

/** The largest stream id. */
export const maxStreamId = 0x7fff_ffff

/** The largest flow-control window. */
export const maxWindowBytes = 0x7fff_ffff

/** A frame within `bytes`; its payload is `start` to `end`. Valid until the next frame is read. */
export type Frame = {
  type: number
  flags: number
  streamId: number
  bytes: Buffer
  start: number
  end: number
}

/** Encodes one frame. */
export function encodeFrame(type: number, flags: number, streamId: number, payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(frameHeaderBytes + payload.length)
  writeFrameHeader(frame, 0, payload.length, type, flags, streamId)
  frame.set(payload, frameHeaderBytes)
  return frame
}

/** Writes a frame's header at `at`. */
export function writeFrameHeader(
  target: Buffer,
  at: number,
  length: number,
  type: number,
  flags: number,
  streamId: number,
): void {
  target[at] = length >>> 16
  target[at + 1] = length >>> 8
  target[at + 2] = length
  target[at + 3] = type
  target[at + 4] = flags
  writeUint32(target, at + 5, streamId)
}

/** Writes 32 bits, most significant byte first. */
export function writeUint32(target: Buffer, at: number, value: number): void {
  target[at] = value >>> 24
  target[at + 1] = value >>> 16
  target[at + 2] = value >>> 8
  target[at + 3] = value
}

/** A payload of one 32-bit number. */
export function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  writeUint32(bytes, 0, value)
  return bytes
}

/** Removes a frame's padding (RFC 9113 §6.1); false if the padding is longer than the frame. */
export function unpad(frame: Frame): boolean {
  if ((frame.flags & flag.padded) === 0) return true
  const padding = frame.bytes[frame.start] ?? 0
  if (frame.end - frame.start < 1 + padding) return false
  frame.start += 1
  frame.end -= padding
  return true
}
