import { createServer, type Server, type Socket } from 'node:net'
import {
  type ConnectionLimit,
  createConnectionLimit,
  type LimitedConnection,
  type Phase,
} from '../base/http/connection-limit.ts'
import type { Report } from '../base/model/event.ts'
import { type Bound, bindServer } from './bound.ts'
import type { CallLimits } from './limits.ts'
import { createSocketServer } from './socket-server.ts'
import type { GrpcListener } from './transport.ts'

/** A connection that can speak HTTP/2: in plaintext, or after its TLS handshake. */
export type Connection = {
  readonly socket: Socket
  /** The client's IP address; the empty string on a Unix socket. */
  readonly address: string
  /** The URI SANs of the client's certificate. */
  readonly tlsPeerUris: readonly string[]
  /** Called when a connection must be evicted; `unfinished` until a transport sets it. */
  phase: () => Phase
}

type Options = {
  readonly listener: GrpcListener
  readonly limits: Pick<CallLimits, 'maxConnections' | 'prefaceMs'>
  readonly onConnection: (connection: Connection) => void
  readonly report: Report
}

/** A busy connection carries checks in progress, so it is never evicted. */
const evictable: readonly Phase[] = ['unfinished', 'idle']

/** Accepts a listener's connections, or receives them from `socketSource`; throws a `TransportError`. */
export async function openConnections(options: Options): Promise<Connections> {
  const { listener } = options
  const acceptor = createServer({ noDelay: true }, (socket) => connections.take(socket))
  const connections: Connections = new Connections(acceptor, options)
  await connections.listen(listener)
  listener.socketSource?.((socket) => connections.take(socket))
  return connections
}

/** The connections of one listener, including those in a TLS handshake. */
export class Connections {
  readonly #acceptor: Server
  readonly #speakers: Server
  readonly #report: Report
  readonly #limit: ConnectionLimit
  readonly #sockets = new Set<Socket>()
  /**
   * The phases of connections, by the client's address and port, because node:tls does not expose the TCP socket of a TLS
   * socket.
   */
  readonly #admitted = new Map<string, Pick<Connection, 'phase'>>()
  #bound: Bound | undefined
  #isClosing = false

  constructor(acceptor: Server, { listener, limits, onConnection, report }: Options) {
    this.#acceptor = acceptor
    this.#report = report
    this.#limit = createConnectionLimit(limits.maxConnections, evictable)
    this.#speakers = createSocketServer(listener.tls, limits.prefaceMs, (socket, tlsPeerUris) => {
      if (socket.destroyed) return
      const admitted = this.#admitted.get(nameOf(socket)) ?? { phase: unfinished }
      onConnection(Object.assign(admitted, { socket, address: addressOf(socket), tlsPeerUris }))
    })
    this.#speakers.on('tlsClientError', () => report({ kind: 'connection_ended', why: 'tls' }))
  }

  /** `IP:port` with the actual port, or `unix://` and a path. */
  get address(): string {
    return this.#bound?.address ?? ''
  }

  get port(): number {
    return this.#bound?.port ?? 0
  }

  async listen(listener: GrpcListener): Promise<void> {
    this.#bound = await bindServer(this.#acceptor, listener)
  }

  /** Serves a connection that this or another process accepted, if there is room. */
  take(socket: Socket): void {
    socket.on('error', () => socket.destroy())
    if (this.#isClosing || socket.destroyed) {
      socket.destroy()
      return
    }
    const admitted: Pick<Connection, 'phase'> = { phase: unfinished }
    const limited: LimitedConnection = {
      address: addressOf(socket),
      phase: () => admitted.phase(),
      evict: () => this.#drop(socket),
    }
    if (this.#limit.enter(limited)) this.#admit(socket, limited, admitted)
    else this.#drop(socket)
  }

  /** Stops accepting; resolves when the last connection has closed. */
  async close(): Promise<void> {
    this.#isClosing = true
    const closed = new Promise<void>((resolve) => this.#acceptor.close(() => resolve()))
    // This server never listened, but it follows certificates until it is closed.
    this.#speakers.close()
    await this.#bound?.release()
    await closed
    // The acceptor does not count what was handed over.
    await Promise.all([...this.#sockets].map(untilClosed))
  }

  /** Ends all connections after their written bytes have been sent. */
  end(): void {
    for (const socket of this.#sockets) socket.destroySoon()
  }

  #admit(socket: Socket, limited: LimitedConnection, admitted: Pick<Connection, 'phase'>): void {
    const name = nameOf(socket)
    this.#sockets.add(socket)
    this.#admitted.set(name, admitted)
    socket.on('close', () => {
      this.#limit.leave(limited)
      this.#sockets.delete(socket)
      if (this.#admitted.get(name) === admitted) this.#admitted.delete(name)
    })
    this.#speakers.emit('connection', socket)
  }

  #drop(socket: Socket): void {
    this.#report({ kind: 'connection_ended', why: 'too_many' })
    socket.destroy()
  }
}

function unfinished(): Phase {
  return 'unfinished'
}

function addressOf({ remoteAddress = '' }: Socket): string {
  return remoteAddress
}

/**
 * Identifies an open TCP connection of a listener. All connections of a Unix socket share one name; they never use TLS.
 */
function nameOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}

/** Does not use `once` of node:events, which rejects on a broken connection; that is an end as well. */
function untilClosed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve()
    else socket.once('close', () => resolve())
  })
}
