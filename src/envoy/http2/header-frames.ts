import { unrecordedDenial } from '../codec/respond.ts'
import { takeMemory } from '../memory.ts'
import { grpcStatus, unheld } from '../unary-message.ts'
import { toContext, toRefusal } from './calls.ts'
import { charge, closeBlock, resetStream } from './closing.ts'
import { finishRequest } from './data-frames.ts'
import { type ErrorCode, errorCode, type Frame, flag, unpad } from './frames/frames.ts'
import { failure } from './grpc/grpc-message.ts'
import { areTrailers, parseRequestHead, type RequestHead } from './grpc/request-head.ts'
import { holdHead } from './held-head.ts'
import { decodeHeaderBlock, type HeaderBlock } from './hpack/decoder.ts'
import { sendUnopened } from './sending.ts'
import { defaultWindowBytes, type OpenBlock, type Session } from './session.ts'
import { createStream, type Stream } from './stream.ts'

const unknownMethod = failure(grpcStatus.unimplemented, 'expected a method that is served here')
const contentTypePattern = /^application\/grpc(?:\+proto)?(?:;|$)/
/** The charge for a header list that is far too large, because decoding it was work. */
const tokensPerLargeList = 50
const priorityBytes = 5

/** HEADERS: RFC 9113 §6.2. */
export function onHeaders(session: Session, frame: Frame): ErrorCode | undefined {
  const { bytes, flags, streamId } = frame
  if ((streamId & 1) === 0 || !unpad(frame)) return errorCode.protocolError
  let dependsOn = 0
  if ((flags & flag.priority) !== 0) {
    if (frame.end - frame.start < priorityBytes) return errorCode.frameSizeError
    dependsOn = bytes.readUInt32BE(frame.start) & 0x7fff_ffff
    frame.start += priorityBytes
  }
  const fault = streamId <= session.lastStreamId ? checkLateHeaders(session, streamId, flags) : undefined
  if (fault !== undefined) return fault
  if ((flags & flag.endHeaders) === 0) return openBlock(session, frame, dependsOn)
  return onBlock(session, bytes, frame.start, frame.end, { streamId, flags, dependsOn })
}

/** CONTINUATION: RFC 9113 §6.10. Number, bytes and time are all bounded (CVE-2024-27983). */
export function onContinuation(session: Session, frame: Frame): ErrorCode | undefined {
  const { block } = session
  if (block === undefined) return errorCode.protocolError
  block.continuations++
  const isTooMuch = block.continuations > session.limits.maxContinuations
  if (isTooMuch || !appendToBlock(session, block, frame)) return errorCode.enhanceYourCalm
  if ((frame.flags & flag.endHeaders) === 0) return undefined
  closeBlock(session)
  return onBlock(session, block.bytes, 0, block.length, block)
}

/** A second HEADERS frame on a stream must be its trailers. */
function checkLateHeaders(session: Session, streamId: number, flags: number): ErrorCode | undefined {
  const stream = session.streams.get(streamId)
  if (stream === undefined) return session.resets.has(streamId) ? undefined : errorCode.streamClosed
  if (stream.isEnded) return errorCode.streamClosed
  return (flags & flag.endStream) === 0 ? errorCode.protocolError : undefined
}

function openBlock(session: Session, frame: Frame, dependsOn: number): ErrorCode | undefined {
  const block: OpenBlock = {
    streamId: frame.streamId,
    flags: frame.flags,
    dependsOn,
    bytes: Buffer.allocUnsafe(session.limits.maxHeaderBlockBytes),
    startedAtMs: session.at.nowMs,
    length: 0,
    continuations: 0,
  }
  if (!takeMemory(session.memory, block.bytes.length)) return errorCode.enhanceYourCalm
  session.block = block
  return appendToBlock(session, block, frame) ? undefined : errorCode.enhanceYourCalm
}

function appendToBlock(session: Session, block: OpenBlock, { bytes, start, end }: Frame): boolean {
  if (block.length + end - start > session.limits.maxHeaderBlockBytes) return false
  block.length += bytes.copy(block.bytes, block.length, start, end)
  return true
}

/** Decodes a complete block even if its stream is refused, because the HPACK table must stay in step. */
function onBlock(
  session: Session,
  bytes: Buffer,
  start: number,
  end: number,
  { streamId, flags, dependsOn }: Pick<OpenBlock, 'streamId' | 'flags' | 'dependsOn'>,
): ErrorCode | undefined {
  if (end - start > session.limits.maxHeaderBlockBytes) return errorCode.enhanceYourCalm
  const block = decodeHeaderBlock(session.decoder, bytes, start, end, session.limits)
  if (block === undefined) return errorCode.compressionError
  if (streamId <= session.lastStreamId) return onTrailers(session, streamId, block)
  session.lastStreamId = streamId
  if (block === 'too_large') {
    return charge(session, tokensPerLargeList) ?? resetStream(session, streamId, errorCode.enhanceYourCalm)
  }
  const head = dependsOn === streamId ? undefined : parseRequestHead(block)
  if (head === undefined) return resetStream(session, streamId, errorCode.protocolError)
  if (session.state === 'refusing') return resetStream(session, streamId, errorCode.refusedStream)
  if (session.streams.size + session.orphans >= session.limits.maxStreams) return refuse(session, streamId)
  const target = toTarget(session, head)
  if (!holdHead(head, session.memory)) return refuseUnheld(session, streamId, head, target)
  const stream = openStream(session, streamId, head, target)
  return (flags & flag.endStream) === 0 ? undefined : finishRequest(session, stream)
}

function onTrailers(session: Session, streamId: number, block: HeaderBlock): ErrorCode | undefined {
  const stream = session.streams.get(streamId)
  // The block crossed our reset.
  if (stream === undefined) return charge(session)
  if (block === undefined || block === 'too_large' || !areTrailers(block)) {
    return resetStream(session, streamId, errorCode.protocolError)
  }
  return finishRequest(session, stream)
}

/** A client is not charged for exceeding a limit that it cannot know yet. */
function refuse(session: Session, streamId: number): ErrorCode | undefined {
  const fault = resetStream(session, streamId, errorCode.refusedStream)
  if (session.hasAcknowledged || session.earlyRefusals === 0) return fault
  session.earlyRefusals--
  session.bucket.tokens++
  return undefined
}

/** Denies if possible, because a reset would follow Envoy's `failure_mode_allow`. No memory is held for the call. */
function refuseUnheld(
  session: Session,
  streamId: number,
  head: RequestHead,
  target: Stream['target'],
): ErrorCode | undefined {
  const refusal = toRefusal(target, unheld, toContext(session, { head, deadlineMs: undefined }))
  // A pending answer has no stream to wait on.
  const bytes = refusal instanceof Promise ? unrecordedDenial : refusal
  const isDenied = bytes !== undefined && sendUnopened(session, streamId, bytes)
  return resetStream(session, streamId, isDenied ? errorCode.noError : errorCode.refusedStream)
}

function toTarget({ methods }: Session, { method, contentType, path }: RequestHead): Stream['target'] {
  const isGrpc = method === 'POST' && contentTypePattern.test(contentType)
  return isGrpc ? (methods.get(path) ?? unknownMethod) : 'not_grpc'
}

function openStream(session: Session, streamId: number, head: RequestHead, target: Stream['target']): Stream {
  const { nowMs } = session.at
  const deadlineMs = head.timeoutMs === undefined ? undefined : nowMs + head.timeoutMs
  const window = session.initialWindow
  const stream = createStream(streamId, head, target, nowMs, deadlineMs, window, defaultWindowBytes)
  session.streams.set(streamId, stream)
  return stream
}
