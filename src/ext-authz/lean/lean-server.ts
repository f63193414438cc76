import type { Server, Socket } from 'node:net'
import type { ConnectionFault, Report } from '../../model/event.ts'
import { type Bound, bindServer } from '../bound.ts'
import { unrecordedDenial } from '../respond.ts'
import type { CallHandler, GrpcListener, Transport } from '../transport.ts'
import { endSession, openSession } from './connection.ts'
import { startDraining } from './draining.ts'
import { guard } from './guard.ts'
import { createHealth } from './health.ts'
import { defaultLimits, type Limits } from './limits.ts'
import type { Method, Methods } from './method.ts'
import type { Session } from './session.ts'
import { createSocketServer } from './socket-server.ts'
import { tick } from './timing.ts'

const tickMs = 100
/** Connections that opened together do not all move on together. */
const ageJitter = 0.1

/** Listens with an HTTP/2 of our own, made for unary calls; throws a `TransportError`. */
export async function createLeanTransport(
  listener: GrpcListener,
  handle: CallHandler,
  report: Report,
  overrides: Partial<Limits> = {},
): Promise<Transport> {
  const limits = { ...toLimits(listener), ...overrides }
  const health = createHealth()
  const methods: Methods = new Map<string, Method>([
    ['/envoy.service.auth.v3.Authorization/Check', toCheckMethod(handle, report)],
    ['/grpc.health.v1.Health/Check', health.check],
    ['/grpc.health.v1.Health/Watch', health.watch],
    ['/grpc.health.v1.Health/List', health.list],
  ])
  const sessions = new Set<Session>()
  const life = { isDraining: false }
  const shared = {
    methods,
    elapsedMs: () => performance.now(),
    memory: { usedBytes: 0, maxBytes: limits.maxTotalBytes },
    pool: { free: [] },
    onFault: (cause: unknown) => report({ kind: 'fault', where: 'ext-authz/lean', cause }),
    onEnded: (why: ConnectionFault) => report({ kind: 'connection_ended', why }),
  }
  const server = createSocketServer(listener.tls, limits.prefaceMs, (socket, tlsPeerUris) => {
    const session = openSession(socket, { ...shared, tlsPeerUris, limits: withJitter(limits) })
    sessions.add(session)
    socket.on('close', () => sessions.delete(session))
    // Its handshake ended after we had begun to drain.
    if (life.isDraining) startDraining(session)
  })
  server.maxConnections = limits.maxConnections
  server.on('tlsClientError', () => shared.onEnded('tls'))
  server.on('drop', () => shared.onEnded('too_many'))
  const bound = await bindServer(server, listener)
  const transport = new LeanTransport(server, { sessions, life, bound, setServing: health.setServing })
  listener.handed?.((socket) => transport.take(socket))
  if (listener.handed === undefined)
    report({ kind: 'listening', what: 'ext_authz', address: transport.address })
  return transport
}

type Parts = {
  readonly sessions: ReadonlySet<Session>
  readonly life: { isDraining: boolean }
  readonly bound: Bound
  readonly setServing: (isServing: boolean) => void
}

class LeanTransport implements Transport {
  readonly address: string
  readonly port: number
  readonly setServing: (isServing: boolean) => void
  readonly #server: Server
  readonly #release: () => Promise<void>
  readonly #sessions: ReadonlySet<Session>
  readonly #life: Parts['life']
  /** All connections, those in a TLS handshake among them. */
  readonly #sockets = new Set<Socket>()
  readonly #clock: NodeJS.Timeout
  #drained: Promise<void> | undefined

  constructor(server: Server, { sessions, life, bound, setServing }: Parts) {
    this.#server = server
    this.#sessions = sessions
    this.#life = life
    this.setServing = setServing
    this.address = bound.address
    this.port = bound.port
    this.#release = bound.release
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
    this.#clock = setInterval(() => {
      for (const session of sessions) guard(session, () => tick(session))
    }, tickMs).unref()
  }

  /** Serves a connection that was handed in, unless there are too many: this server does not count what it did not accept. */
  take(socket: Socket): void {
    if (this.#life.isDraining) socket.destroy()
    else if (this.#sockets.size < this.#server.maxConnections) this.#server.emit('connection', socket)
    else this.#server.emit('drop', socket.destroy())
  }

  drain(graceMs: number): Promise<void> {
    this.#life.isDraining = true
    this.#drained ??= this.#close()
    for (const session of this.#sessions) startDraining(session)
    const timer = setTimeout(() => this.#end(), graceMs)
    return this.#drained.finally(() => clearTimeout(timer))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.drain(0)
  }

  async #close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    await this.#release()
    await closed
    // A server counts no connection that was handed to it.
    await Promise.all([...this.#sockets].map(untilClosed))
    clearInterval(this.#clock)
  }

  #end(): void {
    for (const session of this.#sessions) endSession(session)
    // What was said goes out first.
    for (const socket of this.#sockets) socket.destroySoon()
  }
}

/** Not by `once` of node:events, which rejects when the connection breaks: that ends it as well. */
function untilClosed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve()
    else socket.once('close', () => resolve())
  })
}

/** INVARIANT: whatever happens, the answer is a message; a gRPC error would obey Envoy's `failure_mode_allow`. */
function toCheckMethod(handle: CallHandler, report: Report): Method {
  const toDenial = (cause: unknown) => {
    report({ kind: 'fault', where: 'ext-authz/lean-server', cause })
    return unrecordedDenial
  }
  return {
    kind: 'unary',
    refusal: unrecordedDenial,
    answer: (message, context) => {
      try {
        const answered = handle(message, context)
        return answered instanceof Promise ? answered.catch(toDenial) : answered
      } catch (cause) {
        return toDenial(cause)
      }
    },
  }
}

function toLimits(listener: GrpcListener): Limits {
  return {
    ...defaultLimits,
    maxStreams: listener.maxConcurrentStreams,
    maxAgeMs: listener.maxConnectionAgeSeconds * 1000,
    maxAgeGraceMs: listener.maxConnectionAgeGraceSeconds * 1000,
  }
}

function withJitter(limits: Limits): Limits {
  return { ...limits, maxAgeMs: limits.maxAgeMs * (1 - ageJitter * Math.random()) }
}
