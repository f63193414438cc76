import { charge, closeSession } from './closing.ts'
import { onGoaway, onPing, onPriority, onRstStream, onSettings, onWindowUpdate } from './control-frames.ts'
import { onData } from './data-frames.ts'
import { flushSession } from './flushing.ts'
import { readFrames } from './frames/frame-reader.ts'
import { type ErrorCode, errorCode, type Frame, flag, frameType, uint32 } from './frames/frames.ts'
import { encodeSettings } from './frames/settings-frame.ts'
import { onContinuation, onHeaders } from './header-frames.ts'
import { put, putFrame } from './output.ts'
import { connectionWindowBytes, defaultWindowBytes, type Session } from './session.ts'

/** Sends the first frames: our SETTINGS, and a larger window for the connection. */
export function greet(session: Session): void {
  put(session.output, encodeSettings(session.limits))
  putFrame(session.output, frameType.windowUpdate, 0, 0, uint32(connectionWindowBytes - defaultWindowBytes))
  flushSession(session)
}

/** Handles received bytes. They must never be written again. */
export function receive(session: Session, chunk: Buffer): void {
  if (session.state === 'closed') return
  const { at, reader } = session
  at.nowMs = session.elapsedMs()
  at.heardMs = at.nowMs
  const { parts } = reader
  const fault = readFrames(reader, chunk, (frame) => onFrame(session, frame))
  if (reader.parts !== parts) at.partMs = at.nowMs
  if (fault !== undefined) closeSession(session, fault)
  else flushSession(session)
}

function onFrame(session: Session, frame: Frame): ErrorCode | undefined {
  const { type, streamId, flags } = frame
  const { block } = session
  if (block !== undefined && (type !== frameType.continuation || streamId !== block.streamId)) {
    return errorCode.protocolError
  }
  if (!session.hasSettings && (type !== frameType.settings || (flags & flag.ack) !== 0)) {
    return errorCode.protocolError
  }
  switch (type) {
    case frameType.data:
      return onData(session, frame)
    case frameType.headers:
      return onHeaders(session, frame)
    case frameType.continuation:
      return onContinuation(session, frame)
    case frameType.windowUpdate:
      return onWindowUpdate(session, frame)
    case frameType.settings:
      return onSettings(session, frame)
    case frameType.ping:
      return onPing(session, frame)
    case frameType.rstStream:
      return onRstStream(session, frame)
    case frameType.priority:
      return onPriority(session, frame)
    case frameType.goaway:
      return onGoaway(session, frame)
    case frameType.pushPromise:
      return errorCode.protocolError
    default:
      // Unknown types are ignored: RFC 9113 §5.5.
      return charge(session)
  }
}
