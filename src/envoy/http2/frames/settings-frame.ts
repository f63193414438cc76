import type { Limits } from '../limits.ts'
import type { Session } from '../session.ts'
import {
  type ErrorCode,
  encodeFrame,
  errorCode,
  type Frame,
  frameType,
  maxFrameBytes,
  maxWindowBytes,
} from './frames.ts'

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

/** Encodes our SETTINGS frame. Omitted settings have their defaults. */
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
 * Applies the peer's settings; an invalid value ends the connection. Of several initial windows in a frame only the last
 * one counts. Each would move the windows of all open streams, and one frame can hold 2,730 of them.
 */
export function applySettings(session: Session, { bytes, start, end }: Frame): ErrorCode | undefined {
  let initialWindow = session.initialWindow
  for (let at = start; at < end; at += settingBytes) {
    const id = bytes.readUInt16BE(at)
    const value = bytes.readUInt32BE(at + 2)
    const fault = checkSetting(id, value)
    if (fault !== undefined) return fault
    // Our table is always empty, but a peer that reduces its size expects to be told (RFC 7541 §4.2).
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

/** Moves every open stream's window by the difference, even below zero (RFC 9113 §6.9.2). */
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
