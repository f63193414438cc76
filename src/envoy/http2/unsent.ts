import { giveMemory, takeMemory } from '../memory.ts'
import type { Session } from './session.ts'

/** Called when the kernel has accepted bytes. */
export function onSent(session: Session): void {
  session.at.progressMs = session.elapsedMs()
  countUnsent(session)
}

/** Pauses reading while too many bytes are unsent, and drops a peer for which too much would be held. */
export function countUnsent(session: Session): void {
  const { link, limits, at } = session
  const unsent = link.unsentBytes()
  const more = unsent - session.unsentBytes
  if (more > 0 && !takeMemory(session.memory, more)) {
    session.onEnded('memory')
    link.destroy()
    return
  }
  if (more > 0 && session.unsentBytes === 0) at.progressMs = at.nowMs
  if (more < 0) giveMemory(session.memory, -more)
  session.unsentBytes = unsent
  if (session.isReading && unsent > limits.pauseAboveBytes) setReading(session, false)
  else if (!session.isReading && unsent <= limits.pauseAboveBytes / 2) setReading(session, true)
}

function setReading(session: Session, isReading: boolean): void {
  session.isReading = isReading
  session.link.setReading(isReading)
}
