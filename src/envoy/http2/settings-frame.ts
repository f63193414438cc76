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

/**
 * Takes what the peer says of itself; a value outside its range ends the connection. Of several initial windows in a frame the
 * last one counts: each would move every open stream's window, and one frame holds 2,730.
 */
export function applySettings(session: Session, { bytes, start, end }: Frame): ErrorCode | undefined {
  let initialWindow = session.initialWindow
  for (let at = start; at < end; at += settingBytes) {
    const id = bytes.readUInt16BE(at)
    const value = bytes.readUInt32BE(at + 2)
    const fault = checkSetting(id, value)
    if (fault !== undefined) return fault
    // Ours is always empty, but a peer that makes it smaller waits to be told so (RFC 7541 §4.2).
    if (id === setting.headerTableSize && value < defaultTableBytes) session.owesTableSize = true
    if (id === setting.initialWindowSize) initialWindow = value
  }
  return applyInitialWindow(session, initialWindow)
}

function checkSetting(id: number, value: number): ErrorCode | undefined {
  switch (id) {
    case setting.enablePush:
      return value > 1 ? errorCode.protocolError : undefined
    case setting.initialWindowSize:
      return value > maxWindowBytes ? errorCode.flowControlError : undefined
    case setting.maxFrameSize:
      return value < maxFrameBytes || value > largestFrameBytes ? errorCode.protocolError : undefined
    default:
      return undefined
  }
}

/** Every open stream's window moves by the difference, below zero if need be (RFC 9113 §6.9.2). */
function applyInitialWindow(session: Session, value: number): ErrorCode | undefined {
  const difference = value - session.initialWindow
  if (difference === 0) return undefined
  session.initialWindow = value
  for (const stream of session.streams.values()) {
    stream.sendWindow += difference
    if (stream.sendWindow > maxWindowBytes) return errorCode.flowControlError
  }
  return undefined
}
