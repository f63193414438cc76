import { abortSession } from './closing.ts'
import type { Session } from './session.ts'

/** A fault of ours ends the one connection on which it showed, and not the server. */
export function guard(session: Session, work: () => void): void {
  try {
    work()
  } catch (cause) {
    session.onFault(cause)
    abortSession(session, 'internal_error')
  }
}
