import { grpcStatus } from '../unary-message.ts'
import { putGoaway } from './closing.ts'
import { flushSession } from './flushing.ts'
import { errorCode, frameType, maxStreamId } from './frames.ts'
import { failure } from './grpc-message.ts'
import { putFrame } from './output.ts'
import { sendFailure } from './sending.ts'
import type { Session } from './session.ts'

/** Its acknowledgement says that the peer has read our GOAWAY, and that no call can cross it any more. */
export const drainPing: Buffer = Buffer.from('goodbye!', 'latin1')

const goingAway = failure(grpcStatus.unavailable, 'this server is going away')

/** Asks the peer to move on (RFC 9113 §6.8), while calls that are on their way to us are still served. */
export function startDraining(session: Session): void {
  if (session.state !== 'open') return
  session.state = 'draining'
  session.at.drainedMs = session.at.nowMs
  putGoaway(session, maxStreamId, errorCode.noError)
  putFrame(session.output, frameType.ping, 0, 0, drainPing)
  flushSession(session)
}

/** Takes no more calls; those under way are finished, and then the session ends. */
export function announceEnd(session: Session): void {
  if (session.state !== 'draining') return
  session.state = 'refusing'
  putGoaway(session, session.lastStreamId, errorCode.noError)
  // A watch would never finish by itself.
  for (const stream of [...session.streams.values()]) {
    if (stream.unwatch !== undefined) sendFailure(session, stream, goingAway)
  }
}
