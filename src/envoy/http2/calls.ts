import { deny } from '../../base/model/decision.ts'
import type { CallContext } from '../transport.ts'
import { isUnread, parseMessage, type Unread } from '../unary-message.ts'
import { dropBody, guard } from './closing.ts'
import { flushSoon } from './flushing.ts'
import { type GrpcFailure, isGrpcFailure, toFailure } from './grpc/grpc-message.ts'
import type { Method } from './grpc/method.ts'
import { toMetadata } from './grpc/request-head.ts'
import { sendAnswer, sendFailure, sendNotGrpc, sendUpdate, sendWatchHead } from './sending.ts'
import type { Session } from './session.ts'
import type { Stream } from './stream.ts'
import { earn } from './token-bucket.ts'

/** A cancelled call returns this charge for its reset when its work is done. */
const tokensPerCancel = 1

/** Answers a call with a complete request. */
export function startCall(session: Session, stream: Stream, request: Buffer): void {
  const { target } = stream
  if (target === 'not_grpc') sendNotGrpc(session, stream)
  else if (target.kind === 'failure') sendFailure(session, stream, target)
  else {
    const message = parseMessage(request, session.limits.maxMessageBytes)
    if (isUnread(message)) refuseCall(session, stream, message)
    else if (target.kind === 'watch') startWatch(session, stream, target, message)
    else respondWith(session, stream, target.answer(message, toContext(session, stream)))
  }
}

/**
 * Ends a call whose message is not read. A failure would follow Envoy's `failure_mode_allow`, so a method that can deny
 * does so.
 */
export function refuseCall(session: Session, stream: Stream, unread: Unread): void {
  const { target } = stream
  dropBody(session, stream)
  if (target === 'not_grpc') sendNotGrpc(session, stream)
  else if (target.kind === 'failure') sendFailure(session, stream, target)
  else {
    const answered = toRefusal(target, unread, toContext(session, stream))
    respondWith(session, stream, answered ?? toFailure(unread))
  }
}

/** Returns the denial of a method that has one. */
export function toRefusal(
  target: Stream['target'],
  { code, reason }: Unread,
  context: CallContext,
): Uint8Array | Promise<Uint8Array> | undefined {
  if (target === 'not_grpc' || target.kind !== 'unary') return undefined
  return target.refuse?.(deny(code, `check request: ${reason}`), context)
}

/** Ends a call with its message, or with a failure. */
function respond(session: Session, stream: Stream, answered: Uint8Array | GrpcFailure): void {
  if (isGrpcFailure(answered)) sendFailure(session, stream, answered)
  else sendAnswer(session, stream, answered)
}

/** Responds now, or when the answer is available. */
function respondWith(
  session: Session,
  stream: Stream,
  answered: Uint8Array | GrpcFailure | Promise<Uint8Array>,
): void {
  if (!(answered instanceof Promise)) {
    respond(session, stream, answered)
    return
  }
  stream.isRunning = true
  void answered.then((settled) => guard(session, () => settle(session, stream, settled)))
}

function settle(session: Session, stream: Stream, settled: Uint8Array): void {
  stream.isRunning = false
  if (session.streams.get(stream.id) !== stream) {
    // The client is gone, or was already refused for lateness.
    session.orphans--
    if (stream.isCancelled) earn(session.bucket, tokensPerCancel)
    return
  }
  respond(session, stream, settled)
  flushSoon(session)
}

function startWatch(
  session: Session,
  stream: Stream,
  { watch }: Extract<Method, { kind: 'watch' }>,
  message: Uint8Array,
): void {
  let isBegun = false
  const watching = watch(message, (update) => {
    if (session.streams.get(stream.id) !== stream) return
    if (!isBegun) sendWatchHead(session, stream)
    isBegun = true
    sendUpdate(session, stream, update)
    flushSoon(session)
  })
  if (isGrpcFailure(watching)) sendFailure(session, stream, watching)
  else if (session.streams.get(stream.id) === stream) stream.unwatch = watching
  else watching()
}

/** Returns the context of a call: everything besides its message. */
export function toContext(
  session: Session,
  { head, deadlineMs }: Pick<Stream, 'head' | 'deadlineMs'>,
): CallContext {
  return { metadata: toMetadata(head), tlsPeerUris: session.tlsPeerUris, deadlineMs }
}
