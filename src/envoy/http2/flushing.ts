import { closeSession, guard } from './closing.ts'
import { errorCode } from './frames/frames.ts'
import { flush } from './output.ts'
import type { Session } from './session.ts'
import { countUnsent } from './unsent.ts'

/** Sends the output. A session with nothing left to do after GOAWAY ends. */
export function flushSession(session: Session): void {
  if (session.state === 'closed') return
  if (session.state === 'refusing' && session.streams.size === 0) {
    closeSession(session, errorCode.noError)
    return
  }
  flush(session.output)
  countUnsent(session)
}

/** Sends after the current turn, so that answers that become ready together are sent together. */
export function flushSoon(session: Session): void {
  if (session.isFlushDue) return
  session.isFlushDue = true
  queueMicrotask(() => {
    session.isFlushDue = false
    guard(session, () => flushSession(session))
  })
}
