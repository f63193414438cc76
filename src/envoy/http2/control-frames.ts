import { charge, closeStream, resetStream } from './closing.ts'
import { announceEnd, drainPing } from './draining.ts'
import { type ErrorCode, errorCode, type Frame, flag, frameType, maxWindowBytes } from './frames/frames.ts'
import { applySettings } from './frames/settings-frame.ts'
import { putFrame } from './output.ts'
import { pump, sendWaiting } from './sending.ts'
import { isIdle, type Session } from './session.ts'

const nothing = Buffer.alloc(0)

/** SETTINGS: RFC 9113 §6.5. */
export function onSettings(session: Session, frame: Frame): ErrorCode | undefined {
  if (frame.streamId !== 0) return errorCode.protocolError
  const length = frame.end - frame.start
  if ((frame.flags & flag.ack) !== 0) {
    session.hasAcknowledged = true
    return length === 0 ? charge(session) : errorCode.frameSizeError
  }
  if (length % 6 !== 0) return errorCode.frameSizeError
  const fault = applySettings(session, frame)
  if (fault !== undefined) return fault
  session.hasSettings = true
  // The acknowledgement must precede everything that the new windows allow.
  putFrame(session.output, frameType.settings, flag.ack, 0, nothing)
  for (const stream of session.streams.values()) pump(session, stream)
  return charge(session)
}

/** PING: RFC 9113 §6.7. */
export function onPing(session: Session, frame: Frame): ErrorCode | undefined {
  if (frame.streamId !== 0) return errorCode.protocolError
  if (frame.end - frame.start !== 8) return errorCode.frameSizeError
  const isAck = (frame.flags & flag.ack) !== 0
  if (!isAck) {
    putFrame(session.output, frameType.ping, flag.ack, 0, frame.bytes, frame.start, frame.end)
  } else if (drainPing.equals(frame.bytes.subarray(frame.start, frame.end))) announceEnd(session)
  return charge(session)
}

/** GOAWAY: RFC 9113 §6.8. This server opens no streams, so it only means that the client will close. */
export function onGoaway(session: Session, frame: Frame): ErrorCode | undefined {
  if (frame.streamId !== 0) return errorCode.protocolError
  return frame.end - frame.start < 8 ? errorCode.frameSizeError : charge(session)
}

/** PRIORITY: RFC 9113 §6.3. Checked and otherwise ignored, because every answer is sent at once. */
export function onPriority(session: Session, frame: Frame): ErrorCode | undefined {
  const { streamId, bytes, start, end } = frame
  if (streamId === 0) return errorCode.protocolError
  if (end - start !== 5) return resetStream(session, streamId, errorCode.frameSizeError)
  if ((bytes.readUInt32BE(start) & 0x7fff_ffff) === streamId) {
    return resetStream(session, streamId, errorCode.protocolError)
  }
  return charge(session)
}

/**
 * RST_STREAM: RFC 9113 §6.4. Each one is charged (CVE-2023-44487). The charge for a call in progress is returned when its
 * work is done: then it has cost no more than an uncancelled call, and a waypoint's connection carries many clients.
 */
export function onRstStream(session: Session, frame: Frame): ErrorCode | undefined {
  const { streamId } = frame
  if (isIdle(session, streamId)) return errorCode.protocolError
  if (frame.end - frame.start !== 4) return errorCode.frameSizeError
  const stream = session.streams.get(streamId)
  if (stream !== undefined) {
    stream.isCancelled = true
    closeStream(session, stream)
  }
  return charge(session)
}

/** WINDOW_UPDATE: RFC 9113 §6.9. Answers earn the client as many as it needs. */
export function onWindowUpdate(session: Session, frame: Frame): ErrorCode | undefined {
  return openWindow(session, frame) ?? charge(session)
}

function openWindow(session: Session, frame: Frame): ErrorCode | undefined {
  const { streamId } = frame
  if (frame.end - frame.start !== 4) return errorCode.frameSizeError
  if (streamId !== 0 && isIdle(session, streamId)) return errorCode.protocolError
  const bytes = frame.bytes.readUInt32BE(frame.start) & 0x7fff_ffff
  if (streamId !== 0) return openStreamWindow(session, streamId, bytes)
  if (bytes === 0) return errorCode.protocolError
  session.sendWindow += bytes
  if (session.sendWindow > maxWindowBytes) return errorCode.flowControlError
  sendWaiting(session)
  return undefined
}

function openStreamWindow(session: Session, streamId: number, bytes: number): ErrorCode | undefined {
  const stream = session.streams.get(streamId)
  if (bytes === 0) {
    return stream === undefined
      ? errorCode.protocolError
      : resetStream(session, streamId, errorCode.protocolError)
  }
  // It crossed the end of the answer.
  if (stream === undefined) return undefined
  stream.sendWindow += bytes
  if (stream.sendWindow > maxWindowBytes) return resetStream(session, streamId, errorCode.flowControlError)
  pump(session, stream)
  return undefined
}
