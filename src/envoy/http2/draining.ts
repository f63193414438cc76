import { grpcStatus } from '../unary-message.ts'
import { putGoaway } from './closing.ts'
import { flushSession } from './flushing.ts'
import { errorCode, frameType, maxStreamId } from './frames/frames.ts'
import { failure } from './grpc/grpc-message.ts'
import { putFrame } from './output.ts'
import { sendFailure } from './sending.ts'
import type { Session } from './session.ts'

/** Its acknowledgement proves that the peer has read our GOAWAY, so no further call can cross it. */
export const drainPing: Buffer = Buffer.from('goodbye!', 'latin1')

const goingAway = failure(grpcStatus.unavailable, 'this server is going away')

/** Asks the peer to close (RFC 9113 §6.8), and still serves calls that are on their way. */
export function startDraining(session: Session): void {
  if (session.state !== 'open') return
  session.state = 'draining'
  session.at.drainedMs = session.at.nowMs
  putGoaway(session, maxStreamId, errorCode.noError)
  putFrame(session.output, frameType.ping, 0, 0, drainPing)
  flushSession(session)
}

/** Stops accepting calls. Calls in progress finish, and then the session ends. */
export function announceEnd(session: Session): void {
  if (session.state !== 'draining') return
  session.state = 'refusing'
  putGoaway(session, session.lastStreamId, errorCode.noError)
  // A watch would never finish by itself.
  for (const stream of [...session.streams.values()]) {
    if (stream.unwatch !== undefined) sendFailure(session, stream, goingAway)
  }
}
