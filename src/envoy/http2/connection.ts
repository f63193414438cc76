import type { Socket } from 'node:net'
import { closeSession, disconnect, guard } from './closing.ts'
import { errorCode } from './frames/frames.ts'
import { greet, receive } from './receiving.ts'
import { createSession, type Link, type Session, type SessionOptions } from './session.ts'
import { onSent } from './unsent.ts'

/** How long a peer may take to close after our last bytes. */
const lingerMs = 1000

/** Runs an HTTP/2 session on a socket until it closes. */
export function openSession(socket: Socket, options: Omit<SessionOptions, 'link'>): Session {
  let onProgress = () => {}
  const link = createLink(socket, options.limits.stalledMs, () => onProgress())
  const session = createSession({ ...options, link })
  onProgress = () => guard(session, () => onSent(session))
  socket.on('data', (chunk: Buffer) => guard(session, () => receive(session, chunk)))
  socket.on('close', () => disconnect(session))
  guard(session, () => greet(session))
  return session
}

/** Ends a session after its time, whatever is in progress. */
export function endSession(session: Session): void {
  closeSession(session, errorCode.noError)
}

function createLink(socket: Socket, stalledMs: number, onProgress: () => void): Link {
  const destroyAfter = (ms: number) => {
    const timer = setTimeout(() => socket.destroy(), ms).unref()
    socket.once('close', () => clearTimeout(timer))
  }
  return {
    write(bytes) {
      if (socket.destroyed || socket.writableEnded) return true
      socket.write(bytes, onProgress)
      return socket.writableLength === 0
    },
    unsentBytes: () => (socket.destroyed ? 0 : socket.writableLength),
    setReading(isReading) {
      if (isReading) socket.resume()
      else socket.pause()
    },
    end() {
      // Further input is read and dropped. Unread bytes would turn our FIN into a reset, and GOAWAY would be lost.
      socket.resume()
      socket.end(() => destroyAfter(lingerMs))
      destroyAfter(stalledMs)
    },
    destroy: () => void socket.destroy(),
  }
}
