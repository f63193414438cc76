import type { Deny } from '../../base/model/decision.ts'
import type { ConnectionFault, Report } from '../../base/model/event.ts'
import { unrecordedDenial } from '../codec/respond.ts'
import { type Connections, openConnections } from '../connections.ts'
import { tickMs } from '../limits.ts'
import type { CallContext, CallHandler, GrpcListener, Transport } from '../transport.ts'
import { guard } from './closing.ts'
import { endSession, openSession } from './connection.ts'
import { startDraining } from './draining.ts'
import { createHealth } from './grpc/health.ts'
import type { Method, Methods } from './grpc/method.ts'
import { defaultLimits, type Limits } from './limits.ts'
import { phaseOf, type Session } from './session.ts'
import { tick } from './timing.ts'

/** Spreads the ages at which connections are closed. */
const ageJitter = 0.1

/** Listens with our own HTTP/2 server for unary calls. Throws a `TransportError`. */
export async function createHttp2Transport(
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
    memory: listener.memory,
    pool: { free: [] },
    onFault: (cause: unknown) => report({ kind: 'fault', where: 'ext-authz/lean', cause }),
    onEnded: (why: ConnectionFault) => report({ kind: 'connection_ended', why }),
  }
  const connections = await openConnections({
    listener,
    limits,
    report,
    onConnection(connection) {
      const { socket, address, tlsPeerUris } = connection
      const session = openSession(socket, { ...shared, address, tlsPeerUris, limits: withJitter(limits) })
      connection.phase = () => phaseOf(session)
      sessions.add(session)
      socket.on('close', () => sessions.delete(session))
      // Its TLS handshake ended after draining began.
      if (life.isDraining) startDraining(session)
    },
  })
  const transport = new Http2Transport(connections, { sessions, life, setServing: health.setServing })
  if (listener.socketSource === undefined)
    report({ kind: 'listening', what: 'ext_authz', address: transport.address })
  return transport
}

type Parts = {
  readonly sessions: ReadonlySet<Session>
  readonly life: { isDraining: boolean }
  readonly setServing: (isServing: boolean) => void
}

class Http2Transport implements Transport {
  readonly address: string
  readonly port: number
  readonly setServing: (isServing: boolean) => void
  readonly #connections: Connections
  readonly #sessions: ReadonlySet<Session>
  readonly #life: Parts['life']
  readonly #clock: NodeJS.Timeout
  #drained: Promise<void> | undefined

  constructor(connections: Connections, { sessions, life, setServing }: Parts) {
    this.#connections = connections
    this.#sessions = sessions
    this.#life = life
    this.setServing = setServing
    this.address = connections.address
    this.port = connections.port
    this.#clock = setInterval(() => {
      for (const session of sessions) guard(session, () => tick(session))
    }, tickMs).unref()
  }

  drain(graceMs: number): Promise<void> {
    this.#life.isDraining = true
    this.#drained ??= this.#connections.close().finally(() => clearInterval(this.#clock))
    for (const session of this.#sessions) startDraining(session)
    const timer = setTimeout(() => this.#end(), graceMs)
    return this.#drained.finally(() => clearTimeout(timer))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.drain(0)
  }

  #end(): void {
    for (const session of this.#sessions) endSession(session)
    // Written bytes are sent first.
    this.#connections.end()
  }
}

/** INVARIANT: the answer is always a message, because a gRPC error would follow Envoy's `failure_mode_allow`. */
function toCheckMethod(handle: CallHandler, report: Report): Method {
  const toDenial = (cause: unknown) => {
    report({ kind: 'fault', where: 'ext-authz/lean-server', cause })
    return unrecordedDenial
  }
  const answer = (request: Uint8Array | Deny, context: CallContext) => {
    try {
      const answered = handle(request, context)
      return answered instanceof Promise ? answered.catch(toDenial) : answered
    } catch (cause) {
      return toDenial(cause)
    }
  }
  return { kind: 'unary', answer, refuse: answer }
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
