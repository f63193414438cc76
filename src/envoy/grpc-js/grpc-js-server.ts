import { logVerbosity, Server, ServerCredentials, type ServerOptions, setLogVerbosity } from '@grpc/grpc-js'
import type { Report } from '../../base/model/event.ts'
import { type Connections, openConnections } from '../connections.ts'
import { type CallLimits, defaultCallLimits, tickMs } from '../limits.ts'
import type { CallHandler, GrpcListener, Transport } from '../transport.ts'
import { createChecks } from './grpc-js-checks.ts'
import { openGate } from './grpc-js-gate.ts'
import { addHealth } from './health.ts'

/** Listens with Node's HTTP/2, and grpc-js for health and reflection. Throws a `TransportError`. */
export async function createGrpcTransport(
  listener: GrpcListener,
  handle: CallHandler,
  report: Report,
  overrides: Partial<CallLimits> = {},
): Promise<Transport> {
  // grpc-js would write messages to stderr that do not help an operator.
  setLogVerbosity(logVerbosity.NONE)
  const limits = { ...defaultCallLimits, ...overrides }
  const elapsedMs = () => performance.now()
  const server = new Server(toServerOptions(listener, limits))
  const setHealth = addHealth(server)
  // This loads protobufjs, which nothing else needs.
  if (listener.reflection) (await import('./reflection.ts')).addReflection(server)
  // TLS is terminated before, because both transports accept connections with the same code.
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure())
  const checks = createChecks({ limits, handle, elapsedMs, report })
  const gate = openGate(server, { limits, memory: listener.memory, checks, elapsedMs, report })
  const life = { isDraining: false }
  const connections = await openConnections({
    listener,
    limits,
    report,
    onConnection(connection) {
      const { socket } = connection
      // Its TLS handshake ended after draining began.
      if (life.isDraining) socket.destroy()
      else gate.enter(connection, () => injector.injectConnection(socket))
    },
  })
  const transport = new GrpcJsTransport({ server, injector, connections, life, setHealth, tick: gate.tick })
  if (listener.socketSource === undefined)
    report({ kind: 'listening', what: 'ext_authz', address: transport.address })
  return transport
}

type Parts = {
  readonly server: Server
  readonly injector: ReturnType<Server['createConnectionInjector']>
  readonly connections: Connections
  readonly life: { isDraining: boolean }
  readonly setHealth: (isServing: boolean) => void
  readonly tick: () => void
}

class GrpcJsTransport implements Transport {
  readonly address: string
  readonly port: number
  readonly #parts: Parts
  readonly #clock: NodeJS.Timeout
  #drained: Promise<void> | undefined

  constructor(parts: Parts) {
    this.#parts = parts
    this.address = parts.connections.address
    this.port = parts.connections.port
    this.#clock = setInterval(parts.tick, tickMs).unref()
  }

  setServing(isServing: boolean): void {
    this.#parts.setHealth(isServing)
  }

  drain(graceMs: number): Promise<void> {
    this.#parts.life.isDraining = true
    // Its own timer ends the remaining streams, such as health watches. `forceShutdown` would not: without channelz it
    // tracks no sessions.
    this.#parts.injector.drain(graceMs)
    this.#drained ??= this.#close()
    const timer = setTimeout(() => this.#parts.connections.end(), graceMs)
    return this.#drained.finally(() => clearTimeout(timer))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.drain(0)
  }

  async #close(): Promise<void> {
    const { server, connections } = this.#parts
    const shutDown = new Promise<void>((resolve) => server.tryShutdown(() => resolve()))
    await connections.close()
    await shutDown
    clearInterval(this.#clock)
  }
}

/** Requests for health and reflection are small, and grpc-js reads no Checks. */
const maxOtherMessageBytes = 64 * 1024

function toServerOptions(listener: GrpcListener, limits: CallLimits): ServerOptions {
  return {
    'grpc.max_receive_message_length': maxOtherMessageBytes,
    'grpc.max_concurrent_streams': listener.maxConcurrentStreams,
    'grpc.max_connection_age_ms': listener.maxConnectionAgeSeconds * 1000,
    'grpc.max_connection_age_grace_ms': listener.maxConnectionAgeGraceSeconds * 1000,
    'grpc.max_connection_idle_ms': limits.idleMs,
    'grpc.keepalive_time_ms': limits.keepaliveMs,
    'grpc.keepalive_timeout_ms': limits.keepaliveTimeoutMs,
    'grpc.enable_channelz': 0,
  }
}
