import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { formatAddress } from '../../base/http/address.ts'
import {
  createConnectionLimit,
  type LimitedConnection,
  type Phase,
} from '../../base/http/connection-limit.ts'
import type { Report } from '../../base/model/event.ts'

/** True if this process can decide. `reasons` say why it cannot; `notices` are further facts for the operator. */
export type Readiness = {
  readonly ready: boolean
  readonly reasons: readonly string[]
  readonly notices: readonly string[]
  /** The policy source, the serving revision, the age of the source's last confirmation, and the last problem. */
  readonly policy?: {
    readonly source: string
    readonly revision: string | undefined
    readonly pinned: string | undefined
    readonly confirmedSecondsAgo: number | undefined
    readonly lastError: string | undefined
  }
  /** The same for the shadow revision; `undefined` without a shadow. */
  readonly shadow?: Exclude<Readiness['policy'], undefined> | undefined
  /** Each worker, if there are several. */
  readonly workers?: readonly WorkerReadiness[]
}

/** The state of one worker: readiness, revision and connections. */
export type WorkerReadiness = {
  readonly worker: number
  readonly ready: boolean
  readonly connections: number
  readonly revision: string | undefined
}

/** The content of the admin port, passed in as functions. So the admin server imports nothing of the runtime. */
export type AdminOptions = {
  readonly address: string
  /** 0 lets the kernel choose a port. */
  readonly port: number
  readonly readiness: () => Readiness
  readonly metricsText: () => Promise<string>
  /** The public keys that verify chains, as a JWK Set. */
  readonly jwks: () => object
  readonly report: Report
}

/** The admin port could not be opened. */
export class AdminUnavailable extends Error {
  override readonly name = 'AdminUnavailable'
  readonly code = 'admin_unavailable'
}

type Page = {
  readonly status: number
  readonly type: string
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
}
type Pages = ReadonlyMap<string, () => Page | Promise<Page>>

const plainText = 'text/plain; charset=utf-8'
const limitMs = 5000
const maxConnections = 100
/** The order in which connections are evicted. New connections are never refused, so that a probe gets through. */
const evictable: readonly Phase[] = ['unfinished', 'idle', 'busy']
const alwaysHeaders = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
}

/** Opens the read-only port for health, readiness, metrics and keys. Rejects with `AdminUnavailable`. */
export async function createAdminServer(options: AdminOptions): Promise<AdminServer> {
  const pages = toPages(options)
  const server = createServer(
    {
      headersTimeout: limitMs,
      requestTimeout: limitMs,
      connectionsCheckingInterval: 1000,
      keepAliveTimeout: limitMs,
      maxHeaderSize: 8192,
    },
    (request, response) => void answer(request, response, pages, options.report),
  )
  limitConnections(server)
  server.setTimeout(2 * limitMs)
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new AdminUnavailable('the admin port could not be opened', { cause })),
    )
    server.listen({ host: options.address, port: options.port }, resolve)
  })
  server.removeAllListeners('error')
  server.on('error', (cause) => options.report({ kind: 'fault', where: 'admin', cause }))
  const admin = new AdminServer(server)
  options.report({ kind: 'listening', what: 'admin', address: admin.address })
  return admin
}

/** The open admin port. */
export class AdminServer implements AsyncDisposable {
  readonly #server: Server
  /** `IP:port`, with the actual port. */
  readonly address: string
  readonly port: number

  constructor(server: Server) {
    this.#server = server
    // A string means a pipe and `null` a closed server. `listen` above was given a port.
    const { address, port } = server.address() as AddressInfo
    this.address = formatAddress(address, port)
    this.port = port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    // Scrapers keep connections open; shutdown must not wait for them.
    this.#server.closeAllConnections()
    await closed
  }
}

function limitConnections(server: Server): void {
  const limit = createConnectionLimit(maxConnections, evictable)
  const phases = new WeakMap<Socket, Phase>()
  server.on('connection', (socket) => {
    const connection: LimitedConnection = {
      address: socket.remoteAddress ?? '',
      phase: () => phases.get(socket) ?? 'unfinished',
      evict: () => socket.destroy(),
    }
    limit.enter(connection)
    socket.on('close', () => limit.leave(connection))
  })
  server.on('request', ({ socket }, response) => {
    phases.set(socket, 'busy')
    response.on('close', () => phases.set(socket, 'idle'))
  })
}

function toPages({ readiness, metricsText, jwks }: AdminOptions): Pages {
  return new Map<string, () => Page | Promise<Page>>([
    ['/healthz', () => ({ status: 200, type: plainText, body: 'ok\n' })],
    ['/readyz', () => toReadyPage(readiness())],
    [
      '/metrics',
      async () => ({
        status: 200,
        type: 'text/plain; version=0.0.4; charset=utf-8',
        body: await metricsText(),
      }),
    ],
    [
      '/.well-known/jwks.json',
      () => ({
        status: 200,
        type: 'application/jwk-set+json',
        body: JSON.stringify(jwks()),
        headers: { 'cache-control': 'public, max-age=300' },
      }),
    ],
  ])
}

function toReadyPage({ ready, reasons, notices, policy, shadow, workers }: Readiness): Page {
  return {
    status: ready ? 200 : 503,
    type: 'application/json',
    body: `${JSON.stringify({ ready, reasons, notices, policy, shadow, workers })}\n`,
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  pages: Pages,
  report: Report,
): Promise<void> {
  let page: Page
  try {
    page = await toPage(request, pages)
  } catch (cause) {
    report({ kind: 'fault', where: 'admin', cause })
    page = { status: 500, type: plainText, body: 'internal error\n' }
  }
  // A body is never read, so the connection cannot carry another request.
  const hasBody =
    request.headers['transfer-encoding'] !== undefined || (request.headers['content-length'] ?? '0') !== '0'
  response.writeHead(page.status, {
    ...alwaysHeaders,
    ...page.headers,
    ...(hasBody ? { connection: 'close' } : {}),
    'content-type': page.type,
    'content-length': Buffer.byteLength(page.body),
  })
  response.end(request.method === 'HEAD' ? undefined : page.body)
}

function toPage(request: IncomingMessage, pages: Pages): Page | Promise<Page> {
  const [path = ''] = (request.url ?? '').split('?', 1)
  const page = pages.get(path)
  if (page === undefined) return { status: 404, type: plainText, body: 'not found\n' }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return { status: 405, type: plainText, body: 'method not allowed\n', headers: { allow: 'GET, HEAD' } }
  }
  return page()
}
