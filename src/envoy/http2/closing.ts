import type { ConnectionFault } from '../../base/model/event.ts'
import { releaseBody } from '../body.ts'
import { closeMemoryAccount, giveMemory } from '../memory.ts'
import { type ErrorCode, errorCode, frameType, toConnectionFault, uint32, writeUint32 } from './frames.ts'
import { releaseHead } from './held-head.ts'
import { flush, putFrame } from './output.ts'
import type { Session } from './session.ts'
import type { Stream } from './stream.ts'
import { spend } from './token-bucket.ts'
import { countUnsent } from './unsent.ts'

/** Streams of which we remember that it was us who reset them. */
const maxResets = 1024

/** Draws on the allowance for frames that bring no call; the error when it is used up. */
export function charge(session: Session, tokens = 1): ErrorCode | undefined {
  return spend(session.bucket, tokens, session.at.nowMs) ? undefined : errorCode.enhanceYourCalm
}

/** Forgets a stream and what is held for it. */
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

/** Drops the request, which nobody needs once there is an answer. */
export function dropBody(session: Session, stream: Stream): void {
  if (stream.body !== undefined) releaseBody(stream.body, session.memory)
  stream.body = undefined
}

/** Drops what waits to be sent. */
export function releaseOutgoing(session: Session, stream: Stream): void {
  if (stream.outgoing !== undefined) giveMemory(session.memory, stream.outgoing.bytes.length)
  stream.outgoing = undefined
}

/** Ends one stream. A client that makes us do so is charged for it (CVE-2025-8671). */
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

/** Says goodbye and closes when that is sent. */
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

/** Closes without a word: the peer would not hear it. */
export function abortSession(session: Session, why: ConnectionFault): void {
  if (session.state !== 'closed') session.onEnded(why)
  forget(session)
  session.link.destroy()
}

/** Tells the peer which streams we still serve; never more than it was told before (RFC 9113 §6.8). */
export function putGoaway(session: Session, lastStreamId: number, code: ErrorCode): void {
  session.announcedStreamId = Math.min(session.announcedStreamId, lastStreamId)
  const payload = Buffer.alloc(8)
  writeUint32(payload, 0, session.announcedStreamId)
  writeUint32(payload, 4, code)
  putFrame(session.output, frameType.goaway, 0, 0, payload)
}

/** Lets go of a header block that has ended or never will. */
export function closeBlock(session: Session): void {
  if (session.block !== undefined) giveMemory(session.memory, session.block.bytes.length)
  session.block = undefined
}

/** The connection is gone. INVARIANT: afterwards the session holds none of the memory that connections share. */
export function disconnect(session: Session): void {
  forget(session)
  giveMemory(session.memory, session.unsentBytes)
  session.unsentBytes = 0
  closeMemoryAccount(session.memory)
}

/** What is on its way out is still held, and counted, until the connection is gone. */
function forget(session: Session): void {
  session.state = 'closed'
  for (const stream of [...session.streams.values()]) closeStream(session, stream)
  closeBlock(session)
  session.reader.part = undefined
}

/** A fault of ours ends the one connection on which it showed, and not the server. */
export function guard(session: Session, work: () => void): void {
  try {
    work()
  } catch (cause) {
    session.onFault(cause)
    abortSession(session, 'internal_error')
  }
}
