import {
  type ErrorCode,
  encodeFrame,
  errorCode,
  type Frame,
  frameType,
  maxFrameBytes,
  maxWindowBytes,
} from './frames.ts'
import type { Limits } from './limits.ts'
import type { Session } from './session.ts'

/** RFC 9113 §6.5.2. */
const setting = {
  headerTableSize: 0x1,
  enablePush: 0x2,
  maxConcurrentStreams: 0x3,
  initialWindowSize: 0x4,
  maxFrameSize: 0x5,
  maxHeaderListSize: 0x6,
} as const

const settingBytes = 6
const defaultTableBytes = 4096
const largestFrameBytes = 0xff_ffff

/** The SETTINGS frame that we begin with. What it leaves out has its default. */
export function encodeSettings({ maxStreams, maxHeaderListBytes }: Limits): Buffer {
  const pairs = [
    [setting.maxConcurrentStreams, maxStreams],
    [setting.maxHeaderListSize, maxHeaderListBytes],
  ] as const
  const payload = Buffer.alloc(pairs.length * settingBytes)
  for (const [index, [id, value]] of pairs.entries()) {
    payload.writeUInt16BE(id, index * settingBytes)
    payload.writeUInt32BE(value, index * settingBytes + 2)
  }
  return encodeFrame(frameType.settings, 0, 0, payload)
}

/** Takes what the peer says of itself; a value outside its range ends the connection. */
export function applySettings(session: Session, { bytes, start, end }: Frame): ErrorCode | undefined {
  for (let at = start; at < end; at += settingBytes) {
    const fault = applySetting(session, bytes.readUInt16BE(at), bytes.readUInt32BE(at + 2))
    if (fault !== undefined) return fault
  }
  return undefined
}

function applySetting(session: Session, id: number, value: number): ErrorCode | undefined {
  switch (id) {
    case setting.headerTableSize:
      // Ours is always empty, but a peer that makes it smaller waits to be told so (RFC 7541 §4.2).
      if (value < defaultTableBytes) session.owesTableSize = true
      return undefined
    case setting.enablePush:
      return value > 1 ? errorCode.protocolError : undefined
    case setting.initialWindowSize:
      return applyInitialWindow(session, value)
    case setting.maxFrameSize:
      return value < maxFrameBytes || value > largestFrameBytes ? errorCode.protocolError : undefined
    default:
      return undefined
  }
}

/** Every open stream's window moves by the difference, below zero if need be (RFC 9113 §6.9.2). */
function applyInitialWindow(session: Session, value: number): ErrorCode | undefined {
  if (value > maxWindowBytes) return errorCode.flowControlError
  const difference = value - session.initialWindow
  session.initialWindow = value
  for (const stream of session.streams.values()) {
    stream.sendWindow += difference
    if (stream.sendWindow > maxWindowBytes) return errorCode.flowControlError
  }
  return undefined
}
