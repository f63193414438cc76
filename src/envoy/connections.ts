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

/** A connection that may speak HTTP/2: in plaintext, or after its TLS handshake. */
export type Connection = {
  readonly socket: Socket
  /** The client's IP address; the empty string on a Unix socket. */
  readonly address: string
  /** URI SANs that its client has proven. */
  readonly tlsPeerUris: readonly string[]
  /** Asked when room has to be made for another one; `unfinished` until a transport says otherwise. */
  phase: () => Phase
}

type Options = {
  readonly listener: GrpcListener
  readonly limits: Pick<CallLimits, 'maxConnections' | 'prefaceMs'>
  readonly onConnection: (connection: Connection) => void
  readonly report: Report
}

/** A busy connection carries questions that are being decided; it is never ended to make room. */
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

/** The connections of one listener, those in a TLS handshake among them. */
export class Connections {
  readonly #acceptor: Server
  readonly #speakers: Server
  readonly #report: Report
  readonly #limit: ConnectionLimit
  readonly #sockets = new Set<Socket>()
  /** What the crowd asks for its phase, by the client's address and port: node:tls does not say over which socket it speaks. */
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

  /** `IP:port`, with the port that was really bound, or `unix://` and a path. */
  get address(): string {
    return this.#bound?.address ?? ''
  }

  get port(): number {
    return this.#bound?.port ?? 0
  }

  async listen(listener: GrpcListener): Promise<void> {
    this.#bound = await bindServer(this.#acceptor, listener)
  }

  /** Serves a connection that was accepted, here or by another process, if there is room for it. */
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

  /** Accepts no more; resolves when the last connection has closed. */
  async close(): Promise<void> {
    this.#isClosing = true
    const closed = new Promise<void>((resolve) => this.#acceptor.close(() => resolve()))
    // It never listened, but follows certificates until it is closed.
    this.#speakers.close()
    await this.#bound?.release()
    await closed
    // The acceptor does not count what was handed over.
    await Promise.all([...this.#sockets].map(untilClosed))
  }

  /** Ends all connections once what was written to them has gone out. */
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

/** Tells the TCP connections of one listener apart while they are open. Those of a Unix socket have one name; none is ever TLS. */
function nameOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}

/** Not by `once` of node:events, which rejects when the connection breaks: that ends it as well. */
function untilClosed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve()
    else socket.once('close', () => resolve())
  })
}
