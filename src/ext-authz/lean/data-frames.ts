import { appendToBody, createBody, heldBytes } from './body.ts'
import { refuseCall, startCall } from './calls.ts'
import { charge, resetStream } from './closing.ts'
import { type ErrorCode, errorCode, type Frame, flag, frameType, uint32 } from './frames.ts'
import { claimedBytes, failure, grpcStatus, messagePrefixBytes } from './grpc-message.ts'
import { putFrame } from './output.ts'
import { unpad } from './padding.ts'
import { connectionWindowBytes, defaultWindowBytes, isIdle, type Session } from './session.ts'
import type { Stream } from './stream.ts'

const tooLarge = failure(grpcStatus.resourceExhausted, 'expected a smaller message')
const unheld = failure(grpcStatus.resourceExhausted, 'too much is held for this client already')
const nothing = Buffer.alloc(0)

/** A message in pieces below this costs more than it brings. A call earns more than the few that a client may need. */
const smallBytes = 256

/** DATA: RFC 9113 §6.1. Padding counts as what it takes of the windows. */
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

/** The request is whole; `rest` is what no body holds yet. */
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
  // Its refusal waits for a window.
  if (stream.outgoing !== undefined) return undefined
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
  // Most calls are one frame, which needs no copy.
  const isWhole = isEnd && stream.body === undefined && length <= maxRequestBytes(session)
  stream.isEnded = isEnd
  if (!isWhole && length > 0 && isServed(stream) && !hold(session, stream, chunk)) return charge(session)
  if (isEnd) return finishRequest(session, stream, chunk)
  creditStream(session, stream)
  return undefined
}

/** A request that will be refused anyway, or is already, is read to its end, but not kept. */
function isServed({ target, outgoing }: Stream): boolean {
  return outgoing === undefined && target !== 'not_grpc' && target.kind !== 'failure'
}

/** Keeps a part of a message; false when the call has been refused for it. */
function hold(session: Session, stream: Stream, chunk: Buffer): boolean {
  const max = maxRequestBytes(session)
  stream.body ??= createBody()
  const { body } = stream
  const isTooLarge = body.length + chunk.length > max
  const expected = messagePrefixBytes + claimedBytes(body.length === 0 ? chunk : heldBytes(body))
  if (!isTooLarge && !appendToBody(body, session.memory, chunk, max, expected)) {
    refuseCall(session, stream, unheld)
    return false
  }
  const held = heldBytes(body)
  const claimed = claimedBytes(held)
  // What the prefix announces is refused at once rather than when it has come.
  if (isTooLarge || claimed > session.limits.maxMessageBytes) {
    refuseCall(session, stream, tooLarge)
    return false
  }
  // Nothing that follows mends what is longer than it says.
  if (held.length > messagePrefixBytes + claimed) {
    startCall(session, stream, held)
    return false
  }
  return true
}

function maxRequestBytes(session: Session): number {
  return session.limits.maxMessageBytes + messagePrefixBytes
}

/** Memory, not this window, bounds what is held: a window that closed could leave every call half received. */
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
