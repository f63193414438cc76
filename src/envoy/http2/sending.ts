import { takeMemory } from '../memory.ts'
import { frameMessage, messagePrefixBytes, writeMessagePrefix } from '../unary-message.ts'
import { closeStream, dropBody, releaseOutgoing, resetStream } from './closing.ts'
import {
  encodeFrame,
  errorCode,
  flag,
  frameHeaderBytes,
  frameType,
  maxFrameBytes,
  writeFrameHeader,
} from './frames/frames.ts'
import {
  answerHead,
  type GrpcFailure,
  notGrpcHead,
  notGrpcText,
  okTrailers,
  toFailureFrame,
  toFailureTrailers,
  writeStreamId,
} from './grpc/grpc-message.ts'
import { emptyTable } from './hpack/encoder.ts'
import { put, putFrame, reserve } from './output.ts'
import type { Session } from './session.ts'
import type { Outgoing, Stream } from './stream.ts'
import { earn } from './token-bucket.ts'

/**
 * The allowance that a client earns for an answered call and for a DATA frame. It opens two windows for them, and grpc-go
 * pings while data flows to estimate the bandwidth.
 */
const tokensPerAnswer = 4
const tokensPerData = 3

/** Answers a call with its one message and ends it. */
export function sendAnswer(session: Session, stream: Stream, message: Uint8Array): void {
  if (fits(session, stream.sendWindow, message)) {
    putWholeAnswer(session, stream.id, message)
    earn(session.bucket, tokensPerAnswer)
    finish(session, stream)
    return
  }
  const framed = frameMessage(message)
  dropBody(session, stream)
  putHead(session, answerHead, stream.id)
  send(session, stream, framed, okTrailers)
}

/** Answers a call without a stream; false, with nothing sent, if the answer would have to wait. */
export function sendUnopened(session: Session, streamId: number, message: Uint8Array): boolean {
  if (!fits(session, session.initialWindow, message)) return false
  putWholeAnswer(session, streamId, message)
  return true
}

/** Ends a call with a failure. */
export function sendFailure(session: Session, stream: Stream, failed: GrpcFailure): void {
  if (stream.unwatch === undefined) putHead(session, toFailureFrame(failed), stream.id)
  // A watch has already sent its head. Unsent data is dropped as outdated.
  else putHead(session, toFailureTrailers(failed), stream.id)
  finish(session, stream)
}

/** Answers a request that is not gRPC. */
export function sendNotGrpc(session: Session, stream: Stream): void {
  putHead(session, notGrpcHead, stream.id)
  send(session, stream, notGrpcText, 'end_of_data')
}

/** Sends the head of a watch. */
export function sendWatchHead(session: Session, stream: Stream): void {
  putHead(session, answerHead, stream.id)
}

/** Sends a watch's latest message. It replaces a message that was not sent yet. */
export function sendUpdate(session: Session, stream: Stream, message: Uint8Array): void {
  if (stream.outgoing === undefined) send(session, stream, frameMessage(message), undefined)
  else stream.next = message
}

/** Continues after the connection's window opened, in the order in which streams began to wait. */
export function sendWaiting(session: Session): void {
  // INVARIANT: a stream joins `waiting` again only when the window is used up, so this loop ends.
  for (const stream of session.waiting) {
    if (session.sendWindow <= 0) return
    session.waiting.delete(stream)
    pump(session, stream)
  }
}

/** Sends as much as the stream's windows allow. */
export function pump(session: Session, stream: Stream): void {
  const { outgoing } = stream
  if (outgoing === undefined) return
  while (outgoing.at < outgoing.bytes.length) {
    const left = outgoing.bytes.length - outgoing.at
    const size = Math.min(left, session.sendWindow, stream.sendWindow, maxFrameBytes)
    if (size <= 0) {
      if (stream.sendWindow > 0) session.waiting.add(stream)
      return
    }
    const flags = size === left && outgoing.ending === 'end_of_data' ? flag.endStream : 0
    const { bytes, at } = outgoing
    putFrame(session.output, frameType.data, flags, stream.id, bytes, at, at + size)
    outgoing.at += size
    session.sendWindow -= size
    stream.sendWindow -= size
    earn(session.bucket, tokensPerData)
  }
  finishOutgoing(session, stream, outgoing)
}

function finishOutgoing(session: Session, stream: Stream, { ending }: Outgoing): void {
  releaseOutgoing(session, stream)
  if (ending === undefined) {
    const { next } = stream
    stream.next = undefined
    if (next !== undefined) sendUpdate(session, stream, next)
    return
  }
  if (ending !== 'end_of_data') putHead(session, ending, stream.id)
  finish(session, stream)
}

function send(session: Session, stream: Stream, bytes: Buffer, ending: Outgoing['ending']): void {
  if (!takeMemory(session.memory, bytes.length)) {
    resetStream(session, stream.id, errorCode.enhanceYourCalm)
    return
  }
  stream.outgoing = { bytes, at: 0, ending, sinceMs: session.at.nowMs }
  pump(session, stream)
}

/** Ends a stream. If the client is still sending, it is told to stop (RFC 9113 §8.1). */
function finish(session: Session, stream: Stream): void {
  const isEarly = !stream.isEnded
  closeStream(session, stream)
  if (isEarly) resetStream(session, stream.id, errorCode.noError)
}

function fits(session: Session, streamWindow: number, message: Uint8Array): boolean {
  const length = messagePrefixBytes + message.length
  const windowBytes = Math.min(session.sendWindow, streamWindow, maxFrameBytes)
  return length <= windowBytes && !session.owesTableSize
}

function putWholeAnswer(session: Session, streamId: number, message: Uint8Array): void {
  const { output } = session
  const length = messagePrefixBytes + message.length
  const bytes = reserve(output, answerHead.length + frameHeaderBytes + length + okTrailers.length)
  let { at } = output
  bytes.set(answerHead, at)
  writeStreamId(bytes, at, streamId)
  at += answerHead.length
  writeFrameHeader(bytes, at, length, frameType.data, 0, streamId)
  at += frameHeaderBytes
  writeMessagePrefix(bytes, at, message.length)
  bytes.set(message, at + messagePrefixBytes)
  at += length
  bytes.set(okTrailers, at)
  writeStreamId(bytes, at, streamId)
  output.at = at + okTrailers.length
  session.sendWindow -= length
}

/** Appends a HEADERS frame that was encoded in advance. */
function putHead(session: Session, frame: Buffer, streamId: number): void {
  const { output } = session
  const ready = session.owesTableSize ? withEmptyTable(frame) : frame
  session.owesTableSize = false
  put(output, ready)
  writeStreamId(output.buffer, output.at - ready.length, streamId)
}

function withEmptyTable(frame: Buffer): Buffer {
  const block = Buffer.concat([emptyTable, frame.subarray(frameHeaderBytes)])
  return encodeFrame(frame[3] ?? 0, frame[4] ?? 0, 0, block)
}
