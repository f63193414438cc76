import { grpcStatus, lateRequest } from '../unary-message.ts'
import { refuseCall } from './calls.ts'
import { abortSession, charge, closeSession, resetStream } from './closing.ts'
import { announceEnd, startDraining } from './draining.ts'
import { flushSession } from './flushing.ts'
import { isWithinFrame } from './frames/frame-reader.ts'
import { type ErrorCode, errorCode, frameType } from './frames/frames.ts'
import { failure } from './grpc/grpc-message.ts'
import { putFrame } from './output.ts'
import { sendFailure } from './sending.ts'
import type { Session } from './session.ts'
import type { Stream } from './stream.ts'

/** How long a peer may take to acknowledge the ping after GOAWAY. */
const drainPingMs = 1000
const keepalivePing = Buffer.from('keeping!', 'latin1')
const late = failure(grpcStatus.deadlineExceeded, 'no answer in time')

/** Ends overdue streams and connections. Called often, with the session's clock. */
export function tick(session: Session): void {
  if (session.state === 'closed') return
  session.at.nowMs = session.elapsedMs()
  const gone = findGone(session)
  if (gone !== undefined) {
    abortSession(session, gone)
    return
  }
  const fault = findLate(session)
  if (fault !== undefined) closeSession(session, fault)
  else if (isAtEnd(session)) closeSession(session, errorCode.noError)
  else {
    keepAlive(session)
    moveOn(session)
    flushSession(session)
  }
}

/** Returns why a GOAWAY would not reach the peer. */
function findGone({ at, limits, unsentBytes }: Session): 'stalled' | 'silent' | undefined {
  if (unsentBytes > 0 && at.nowMs - at.progressMs > limits.stalledMs) return 'stalled'
  const isSilent = at.pingedMs > at.heardMs && at.nowMs - at.pingedMs > limits.keepaliveTimeoutMs
  return isSilent ? 'silent' : undefined
}

/** Ends overdue streams; returns the error if the whole connection is overdue. */
function findLate(session: Session): ErrorCode | undefined {
  const { at, limits, block } = session
  const isGreeted = session.hasSettings && session.hasAcknowledged
  if (!isGreeted && at.nowMs - at.openedMs > limits.prefaceMs) return errorCode.settingsTimeout
  // Counted from the first byte, so that a trickle of bytes does not extend it.
  const isBlockLate = block !== undefined && at.nowMs - block.startedAtMs > limits.requestMs
  const isFrameLate = isWithinFrame(session.reader) && at.nowMs - at.partMs > limits.requestMs
  if (isBlockLate || isFrameLate) return errorCode.enhanceYourCalm
  for (const stream of session.streams.values()) {
    const fault = endIfLate(session, stream)
    if (fault !== undefined) return fault
  }
  return undefined
}

function endIfLate(session: Session, stream: Stream): ErrorCode | undefined {
  const { limits, at } = session
  const isAnswerLate = stream.outgoing !== undefined && at.nowMs - stream.outgoing.sinceMs > limits.stalledMs
  if (isAnswerLate) return resetStream(session, stream.id, errorCode.cancel)
  const isAwaited = !stream.isEnded && !stream.isRunning && stream.outgoing === undefined
  if (isAwaited && at.nowMs - stream.openedMs > limits.requestMs) {
    refuseCall(session, stream, lateRequest(limits.requestMs))
    return charge(session)
  }
  const isDeadlinePast = stream.deadlineMs !== undefined && at.nowMs > stream.deadlineMs
  if (stream.isRunning && isDeadlinePast) sendFailure(session, stream, late)
  return undefined
}

function isAtEnd({ state, at, limits }: Session): boolean {
  return state !== 'open' && at.nowMs - at.drainedMs > limits.maxAgeGraceMs
}

/** While reading is paused, the peer's pongs cannot be read. Then its progress in reading shows that it is alive. */
function keepAlive(session: Session): void {
  const { at, limits } = session
  const isAsked = at.pingedMs > at.heardMs
  if (isAsked || !session.isReading || at.nowMs - at.heardMs <= limits.keepaliveMs) return
  at.pingedMs = at.nowMs
  putFrame(session.output, frameType.ping, 0, 0, keepalivePing)
}

function moveOn(session: Session): void {
  const { at, limits, streams } = session
  const isOld = at.nowMs - at.openedMs > limits.maxAgeMs
  const isIdle = streams.size === 0 && at.nowMs - at.activeMs > limits.idleMs
  if (isOld || isIdle) startDraining(session)
  if (session.state === 'draining' && at.nowMs - at.drainedMs > drainPingMs) announceEnd(session)
}
