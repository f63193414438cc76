import type { ConnectionFault } from '../../base/model/event.ts'
import { releaseBody } from '../body.ts'
import { closeMemoryAccount, giveMemory } from '../memory.ts'
import {
  type ErrorCode,
  errorCode,
  frameType,
  toConnectionFault,
  uint32,
  writeUint32,
} from './frames/frames.ts'
import { releaseHead } from './held-head.ts'
import { flush, putFrame } from './output.ts'
import type { Session } from './session.ts'
import type { Stream } from './stream.ts'
import { spend } from './token-bucket.ts'
import { countUnsent } from './unsent.ts'

/** The number of recently reset streams to remember. */
const maxResets = 1024

/** Charges the allowance for frames that bring no call; returns the error when it is used up. */
export function charge(session: Session, tokens = 1): ErrorCode | undefined {
  return spend(session.bucket, tokens, session.at.nowMs) ? undefined : errorCode.enhanceYourCalm
}

/** Removes a stream and releases its memory. */
export function closeStream(session: Session, stream: Stream): void {
  session.streams.delete(stream.id)
  session.waiting.delete(stream)
  session.at.activeMs = session.at.nowMs
  releaseHead(stream.head, session.memory)
  dropBody(session, stream)
  releaseOutgoing(session, stream)
  stream.next = undefined
  if (stream.isRunning) session.orphans++
  stream.unwatch?.()
  stream.unwatch = undefined
}

/** Drops the request, which is not needed after the answer. */
export function dropBody(session: Session, stream: Stream): void {
  if (stream.body !== undefined) releaseBody(stream.body, session.memory)
  stream.body = undefined
}

/** Drops data that waits to be sent. */
export function releaseOutgoing(session: Session, stream: Stream): void {
  if (stream.outgoing !== undefined) giveMemory(session.memory, stream.outgoing.bytes.length)
  stream.outgoing = undefined
}

/** Resets one stream. A client that causes resets is charged for them (CVE-2025-8671). */
export function resetStream(session: Session, streamId: number, code: ErrorCode): ErrorCode | undefined {
  putFrame(session.output, frameType.rstStream, 0, streamId, uint32(code))
  const stream = session.streams.get(streamId)
  if (stream !== undefined) closeStream(session, stream)
  session.resets.add(streamId)
  if (session.resets.size > maxResets) {
    for (const oldest of session.resets) {
      session.resets.delete(oldest)
      break
    }
  }
  return charge(session)
}

/** Sends GOAWAY and closes afterwards. */
export function closeSession(session: Session, code: ErrorCode): void {
  if (session.state === 'closed') return
  const why = toConnectionFault(code)
  if (why !== undefined) session.onEnded(why)
  putGoaway(session, session.lastStreamId, code)
  flush(session.output)
  countUnsent(session)
  forget(session)
  session.link.end()
}

/** Closes without GOAWAY, because the peer would not read it. */
export function abortSession(session: Session, why: ConnectionFault): void {
  if (session.state !== 'closed') session.onEnded(why)
  forget(session)
  session.link.destroy()
}

/** Sends the last stream that will be served; never a higher one than before (RFC 9113 §6.8). */
export function putGoaway(session: Session, lastStreamId: number, code: ErrorCode): void {
  session.announcedStreamId = Math.min(session.announcedStreamId, lastStreamId)
  const payload = Buffer.alloc(8)
  writeUint32(payload, 0, session.announcedStreamId)
  writeUint32(payload, 4, code)
  putFrame(session.output, frameType.goaway, 0, 0, payload)
}

/** Releases a header block that has ended or never will. */
export function closeBlock(session: Session): void {
  if (session.block !== undefined) giveMemory(session.memory, session.block.bytes.length)
  session.block = undefined
}

/** Handles a closed connection. INVARIANT: afterwards the session holds no shared memory. */
export function disconnect(session: Session): void {
  forget(session)
  giveMemory(session.memory, session.unsentBytes)
  session.unsentBytes = 0
  closeMemoryAccount(session.memory)
}

/** Bytes on their way out stay counted until the connection is gone. */
function forget(session: Session): void {
  session.state = 'closed'
  for (const stream of [...session.streams.values()]) closeStream(session, stream)
  closeBlock(session)
  session.reader.part = undefined
}

/** A fault of ours ends only the connection where it occurred, not the server. */
export function guard(session: Session, work: () => void): void {
  try {
    work()
  } catch (cause) {
    session.onFault(cause)
    abortSession(session, 'internal_error')
  }
}
