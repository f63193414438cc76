import {
  constants,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import { Server as NetServer } from 'node:net'
import type { Server } from '@grpc/grpc-js'
import type { Report } from '../../base/model/event.ts'
import type { Connection } from '../connections.ts'
import type { CallLimits } from '../limits.ts'
import {
  closeMemoryAccount,
  giveMemory,
  openMemoryAccount,
  type SharedMemory,
  takeMemory,
} from '../memory.ts'
import { TransportError } from '../transport.ts'
import type { Checks } from './grpc-js-checks.ts'
import { type GrpcSession, phaseOf } from './grpc-js-session.ts'

/** Controls the connections and streams that grpc-js serves. */
export type Gate = {
  /** Serves a connection. `inject` passes it to grpc-js, which opens its session at once. */
  readonly enter: (connection: Connection, inject: () => void) => void
  /** Ends streams that take too long; called often. */
  readonly tick: () => void
}

type GateOptions = {
  readonly limits: CallLimits
  readonly memory: SharedMemory
  readonly checks: Checks
  readonly elapsedMs: () => number
  readonly report: Report
}

/** A stream of another method with an incomplete request. */
type Other = { readonly session: GrpcSession; readonly openedMs: number; heldBytes: number }
type Serve = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void
/** Node passes the headers twice: parsed and raw. */
type OnStream = (
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  flags: number,
  rawHeaders: readonly string[],
) => void

const checkPath = '/envoy.service.auth.v3.Authorization/Check'
const contentTypePattern = /^application\/grpc(?:\+proto)?(?:;|$)/
/** The approximate memory of a stream of another method. Requests for health and reflection have few bytes. */
const otherBytes = 8192

/** Takes Checks away from grpc-js, and bounds the memory for the streams that grpc-js keeps. */
export function openGate(server: Server, options: GateOptions): Gate {
  const { limits, elapsedMs, report, checks } = options
  const http2Server = http2ServerOf(server)
  const serveOther = serveOthers(takeStreams(http2Server), options)
  const sessions = new Map<unknown, GrpcSession>()
  let entering: Connection | undefined
  http2Server.on('session', (session) => {
    if (entering === undefined) {
      session.destroy()
      return
    }
    const opened = openSession(session, entering, options)
    sessions.set(session, opened)
    session.once('close', () => {
      sessions.delete(session)
      closeMemoryAccount(opened.memory)
    })
  })
  const route: OnStream = (stream, headers, _flags, rawHeaders) => {
    const session = sessions.get(stream.session)
    if (session === undefined) stream.close(constants.NGHTTP2_REFUSED_STREAM)
    else if (isCheck(headers)) checks.serve(session, stream, headers, rawHeaders)
    else serveOther.serve(session, stream, headers)
  }
  http2Server.on('stream', route)
  return {
    enter(connection, inject) {
      entering = connection
      inject()
      entering = undefined
    },
    tick() {
      const nowMs = elapsedMs()
      for (const { hasSettings, hasAcknowledged, openedMs, destroy } of sessions.values()) {
        if ((hasSettings && hasAcknowledged) || nowMs - openedMs <= limits.prefaceMs) continue
        report({ kind: 'connection_ended', why: 'settings_timeout' })
        destroy()
      }
      serveOther.tick()
      checks.tick()
    },
  }
}

/**
 * Returns the HTTP/2 server inside of grpc-js, because there is no other way to see its streams. If a release of grpc-js
 * lacks it, the listener does not start.
 */
function http2ServerOf(server: Server): Http2Server {
  const servers: unknown = server['http2Servers']
  const [found]: readonly unknown[] = servers instanceof Map ? [...servers.keys()] : []
  if (isHttp2Server(found)) return found
  throw new TransportError('cannot bound what grpc-js holds: its HTTP/2 server is not where it was')
}

function isHttp2Server(value: unknown): value is Http2Server {
  return value instanceof NetServer && value.listenerCount('stream') === 1
}

/** Returns grpc-js's stream handler and detaches it. grpc-js then sees only the streams passed to the result. */
function takeStreams(http2Server: Http2Server): Serve {
  const [serve] = http2Server.listeners('stream')
  http2Server.removeAllListeners('stream')
  return (stream, headers) => void serve?.call(http2Server, stream, headers)
}

function isCheck(headers: IncomingHttpHeaders): boolean {
  return (
    headers[':path'] === checkPath &&
    headers[':method'] === 'POST' &&
    contentTypePattern.test(headers['content-type'] ?? '')
  )
}

function openSession(
  session: ServerHttp2Session,
  connection: Connection,
  { limits, memory, elapsedMs }: GateOptions,
): GrpcSession {
  const opened: GrpcSession = {
    tlsPeerUris: connection.tlsPeerUris,
    memory: openMemoryAccount(memory, limits.maxConnectionBytes, connection.address),
    openedMs: elapsedMs(),
    hasSettings: false,
    hasAcknowledged: false,
    deciding: 0,
    hasAnswered: false,
    destroy: () => session.destroy(),
  }
  connection.phase = () => phaseOf(opened)
  session.once('remoteSettings', () => {
    opened.hasSettings = true
  })
  session.once('localSettings', () => {
    opened.hasAcknowledged = true
  })
  return opened
}

/** Lets grpc-js serve a stream. A stream is reset if its request takes too long or holds too much memory. */
function serveOthers(
  serve: Serve,
  { limits, elapsedMs }: GateOptions,
): {
  readonly serve: (session: GrpcSession, stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void
  readonly tick: () => void
} {
  const others = new Map<ServerHttp2Stream, Other>()
  const hold = (stream: ServerHttp2Stream, other: Other, bytes: number) => {
    if (takeMemory(other.session.memory, bytes)) other.heldBytes += bytes
    else stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM)
  }
  return {
    serve(session, stream, headers) {
      const other: Other = { session, openedMs: elapsedMs(), heldBytes: 0 }
      others.set(stream, other)
      stream.once('close', () => {
        others.delete(stream)
        giveMemory(session.memory, other.heldBytes)
      })
      stream.once('end', () => {
        others.delete(stream)
        session.hasAnswered = true
      })
      stream.on('error', () => {})
      hold(stream, other, otherBytes)
      if (stream.closed) return
      serve(stream, headers)
      // Node ends an unread request with its answer; reading it here would keep it open.
      if (stream.readableFlowing === null) return
      // grpc-js keeps each part together with the whole buffer it arrived in.
      stream.on('data', (chunk: Buffer) => hold(stream, other, chunk.buffer.byteLength))
    },
    tick() {
      const nowMs = elapsedMs()
      for (const [stream, { openedMs }] of others) {
        if (nowMs - openedMs > limits.requestMs) stream.close(constants.NGHTTP2_CANCEL)
      }
    },
  }
}
