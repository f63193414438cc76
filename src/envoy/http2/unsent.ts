import { giveMemory, takeMemory } from '../memory.ts'
import type { Session } from './session.ts'

/** The kernel has taken something. */
export function onSent(session: Session): void {
  session.at.progressMs = session.elapsedMs()
  countUnsent(session)
}

/** Reads on only while the peer takes what it gets; one for which we would hold too much is dropped. */
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
