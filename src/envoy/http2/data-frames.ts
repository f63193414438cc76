import { createBody, heldBytes } from '../body.ts'
import { gatherMessage, messagePrefixBytes } from '../unary-message.ts'
import { refuseCall, startCall } from './calls.ts'
import { charge, resetStream } from './closing.ts'
import { type ErrorCode, errorCode, type Frame, flag, frameType, uint32, unpad } from './frames/frames.ts'
import { putFrame } from './output.ts'
import { connectionWindowBytes, defaultWindowBytes, isIdle, type Session } from './session.ts'
import type { Stream } from './stream.ts'

const nothing = Buffer.alloc(0)

/** A part of a message below this size costs more than it brings. A call earns the few that a client may need. */
const smallBytes = 256

/** DATA: RFC 9113 §6.1. Padding counts towards flow control. */
export function onData(session: Session, frame: Frame): ErrorCode | undefined {
  const { streamId } = frame
  const flowBytes = frame.end - frame.start
  if (isIdle(session, streamId) || !unpad(frame)) return errorCode.protocolError
  session.receiveWindow -= flowBytes
  if (session.receiveWindow < 0) return errorCode.flowControlError
  creditConnection(session, flowBytes)
  const stream = session.streams.get(streamId)
  if (stream === undefined) {
    return session.resets.has(streamId)
      ? charge(session)
      : resetStream(session, streamId, errorCode.streamClosed)
  }
  if (stream.isEnded) return resetStream(session, streamId, errorCode.streamClosed)
  stream.receiveWindow -= flowBytes
  if (stream.receiveWindow < 0) return resetStream(session, streamId, errorCode.flowControlError)
  return takeData(session, stream, frame)
}

/** Handles a complete request; `rest` are bytes that are not in a body yet. */
export function finishRequest(
  session: Session,
  stream: Stream,
  rest: Buffer = nothing,
): ErrorCode | undefined {
  const { contentLength } = stream.head
  if (contentLength !== undefined && contentLength !== stream.receivedBytes) {
    return resetStream(session, stream.id, errorCode.protocolError)
  }
  stream.isEnded = true
  if (!isAwaited(stream)) return undefined
  startCall(session, stream, stream.body === undefined ? rest : heldBytes(stream.body))
  return undefined
}

function takeData(session: Session, stream: Stream, frame: Frame): ErrorCode | undefined {
  const { contentLength } = stream.head
  const length = frame.end - frame.start
  const isEnd = (frame.flags & flag.endStream) !== 0
  stream.receivedBytes += length
  if (contentLength !== undefined && stream.receivedBytes > contentLength) {
    return resetStream(session, stream.id, errorCode.protocolError)
  }
  const fault = length < smallBytes && !isEnd ? charge(session) : undefined
  if (fault !== undefined) return fault
  const chunk = frame.bytes.subarray(frame.start, frame.end)
  // Most calls are one frame and need no copy.
  const isWhole = isEnd && stream.body === undefined && length <= maxRequestBytes(session)
  stream.isEnded = isEnd
  if (!isWhole && length > 0 && isServed(stream) && !hold(session, stream, chunk)) return charge(session)
  if (isEnd) return finishRequest(session, stream, chunk)
  creditStream(session, stream)
  return undefined
}

/** True if the message still matters. Otherwise it is read and dropped, so that windows stay open. */
function isServed(stream: Stream): boolean {
  const { target } = stream
  return isAwaited(stream) && target !== 'not_grpc' && target.kind !== 'failure'
}

/** False after the call was refused, even if the refusal is still in progress. */
function isAwaited({ outgoing, isRunning }: Stream): boolean {
  return outgoing === undefined && !isRunning
}

/** Holds a part of a message; false if the call was refused for it. */
function hold(session: Session, stream: Stream, chunk: Buffer): boolean {
  stream.body ??= createBody()
  const unread = gatherMessage(stream.body, session.memory, chunk, session.limits.maxMessageBytes)
  if (unread !== undefined) refuseCall(session, stream, unread)
  return unread === undefined
}

function maxRequestBytes(session: Session): number {
  return session.limits.maxMessageBytes + messagePrefixBytes
}

/** Memory bounds the held bytes, not this window. A closed window could leave every call half received. */
function creditConnection(session: Session, bytes: number): void {
  session.uncreditedBytes += bytes
  if (session.uncreditedBytes < connectionWindowBytes / 2) return
  putFrame(session.output, frameType.windowUpdate, 0, 0, uint32(session.uncreditedBytes))
  session.receiveWindow += session.uncreditedBytes
  session.uncreditedBytes = 0
}

function creditStream(session: Session, stream: Stream): void {
  if (stream.receiveWindow > defaultWindowBytes / 2) return
  putFrame(
    session.output,
    frameType.windowUpdate,
    0,
    stream.id,
    uint32(defaultWindowBytes - stream.receiveWindow),
  )
  stream.receiveWindow = defaultWindowBytes
}
