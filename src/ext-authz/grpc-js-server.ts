import {
  type handleUnaryCall,
  logVerbosity,
  type Metadata,
  Server,
  type ServerCredentials,
  type ServerOptions,
  type ServerUnaryCall,
  setLogVerbosity,
} from '@grpc/grpc-js'
import { formatAddress } from '../model/address.ts'
import type { Headers } from '../model/check-input.ts'
import type { Report } from '../model/event.ts'
import { type Bound, toHanded } from './bound.ts'
import { createServerCredentials } from './grpc-js-credentials.ts'
import { addHealth } from './health.ts'
import { unrecordedDenial } from './respond.ts'
import { listenOnSocketFile } from './socket-file.ts'
import { parseUriSans } from './tls.ts'
import {
  type CallContext,
  type CallHandler,
  type GrpcListener,
  type Handed,
  type Transport,
  TransportError,
  toSocketName,
} from './transport.ts'

/** Listens with grpc-js; throws a `TransportError`. */
export async function createGrpcTransport(
  listener: GrpcListener,
  handle: CallHandler,
  report: Report,
): Promise<Transport> {
  // What grpc-js would write to stderr by itself comes to us as an error, too.
  setLogVerbosity(logVerbosity.NONE)
  const credentials = createServerCredentials(listener.tls)
  const server = new Server(toServerOptions(listener))
  const check = createUnaryHandler(handle, createToContext(listener.tls !== undefined), report)
  server.addService(authorizationService, { check })
  const setHealth = addHealth(server)
  // Loads protobufjs, which nobody else needs.
  if (listener.reflection) (await import('./reflection.ts')).addReflection(server)
  const bound =
    listener.handed === undefined
      ? await bindOrClose(server, listener, credentials)
      : inject(server, listener, listener.handed, credentials)
  const transport = new GrpcJsTransport(server, setHealth, bound)
  if (listener.handed === undefined)
    report({ kind: 'listening', what: 'ext_authz', address: transport.address })
  return transport
}

class GrpcJsTransport implements Transport {
  readonly address: string
  readonly port: number
  readonly #server: Server
  readonly #setHealth: (isServing: boolean) => void
  readonly #bound: Listening

  constructor(server: Server, setHealth: (isServing: boolean) => void, bound: Listening) {
    this.#server = server
    this.#setHealth = setHealth
    this.#bound = bound
    this.address = bound.address
    this.port = bound.port
  }

  setServing(isServing: boolean): void {
    this.#setHealth(isServing)
  }

  async drain(graceMs: number): Promise<void> {
    // Its own timer ends what is left, a health watcher for one. `forceShutdown` would not: without channelz it knows no session.
    this.#bound.drain(graceMs)
    const closed = new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()))
    await this.#bound.release()
    await closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.drain(0)
  }
}

/** Far above what Envoy sends and what we take: too large a request must reach our decoder, for a gRPC error is no denial. */
const maxReceiveBytes = 4 * 1024 * 1024

function toServerOptions(listener: GrpcListener): ServerOptions {
  return {
    'grpc.max_receive_message_length': maxReceiveBytes,
    'grpc.max_concurrent_streams': listener.maxConcurrentStreams,
    'grpc.max_connection_age_ms': listener.maxConnectionAgeSeconds * 1000,
    'grpc.max_connection_age_grace_ms': listener.maxConnectionAgeGraceSeconds * 1000,
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 10_000,
    'grpc.enable_channelz': 0,
  }
}

/** Bytes go through as they are: what grpc-js cannot deserialize it answers with a gRPC error. */
const authorizationService = {
  check: {
    path: '/envoy.service.auth.v3.Authorization/Check',
    requestStream: false,
    responseStream: false,
    requestSerialize: (bytes: Buffer) => bytes,
    requestDeserialize: (bytes: Buffer) => bytes,
    responseSerialize: (bytes: Buffer) => bytes,
    responseDeserialize: (bytes: Buffer) => bytes,
  },
} as const

/** INVARIANT: whatever happens, the callback is called exactly once; grpc-js never finishes a call that is answered twice or not at all. */
function createUnaryHandler(
  handle: CallHandler,
  toContext: (call: Call) => CallContext,
  report: Report,
): handleUnaryCall<Buffer, Buffer> {
  const toDenial = (cause: unknown) => {
    report({ kind: 'fault', where: 'ext-authz/grpc-js-server', cause })
    return unrecordedDenial
  }
  const respond = (call: Call) => {
    try {
      const bytes = handle(call.request, toContext(call))
      return bytes instanceof Uint8Array ? bytes : bytes.catch(toDenial)
    } catch (cause) {
      return toDenial(cause)
    }
  }
  return (call, callback) => {
    const bytes = respond(call)
    const answer = (response: Uint8Array) => callback(null, toBuffer(response))
    if (bytes instanceof Uint8Array) answer(bytes)
    else bytes.then(answer).catch(toDenial)
  }
}

type Call = ServerUnaryCall<Buffer, Buffer>

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** What is known of a call; who the peer is only where it has to prove that, for to look costs as much as to read a header. */
function createToContext(isTls: boolean): (call: Call) => CallContext {
  return (call) => {
    // grpc-js gives a time of the wall clock; from here on a step of that clock changes nothing.
    const leftMs = Number(call.getDeadline()) - Date.now()
    return {
      metadata: toHeaders(call.metadata),
      tlsPeerUris: isTls ? parseUriSans(call.getAuthContext().sslPeerCertificate?.subjectaltname ?? '') : [],
      deadlineMs: Number.isFinite(leftMs) ? performance.now() + leftMs : undefined,
    }
  }
}

function toHeaders(metadata: Metadata): Headers {
  const headers = new Map<string, readonly string[]>()
  for (const name of Object.keys(metadata.getMap())) {
    const values = metadata.get(name).filter((value) => typeof value === 'string')
    if (values.length > 0) headers.set(name, values)
  }
  return headers
}

/** Where a server listens, what ends its connections, and what is left to do when it no longer listens. */
type Listening = Bound & { readonly drain: (graceMs: number) => void }

async function bindOrClose(
  server: Server,
  listener: GrpcListener,
  credentials: ServerCredentials,
): Promise<Listening> {
  try {
    return await bind(server, listener, credentials)
  } catch (cause) {
    server.forceShutdown()
    throw cause
  }
}

async function bind(
  server: Server,
  listener: GrpcListener,
  credentials: ServerCredentials,
): Promise<Listening> {
  if ('path' in listener) {
    const address = toSocketName(listener.path)
    let target = address
    const release = await listenOnSocketFile(listener, (path) => {
      target = toSocketName(path)
      return open(server, target, credentials, address)
    })
    return { address, port: 0, release, drain: (graceMs) => server.drain(target, graceMs) }
  }
  const { address: host, port } = listener
  const asked = formatAddress(host, port)
  const ownPort = await open(server, asked, credentials, asked)
  const address = formatAddress(host, ownPort)
  return {
    address,
    port: ownPort,
    release: async () => {},
    drain: (graceMs) => server.drain(address, graceMs),
  }
}

/** Serves what is handed in. */
function inject(
  server: Server,
  listener: GrpcListener,
  handed: Handed,
  credentials: ServerCredentials,
): Listening {
  const injector = server.createConnectionInjector(credentials)
  let isDraining = false
  handed((socket) => {
    if (isDraining) socket.destroy()
    else injector.injectConnection(socket)
  })
  return {
    ...toHanded(listener),
    drain(graceMs) {
      isDraining = true
      injector.drain(graceMs)
    },
  }
}

function open(server: Server, target: string, credentials: ServerCredentials, name: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(target, credentials, (cause, port) => {
      if (cause === null) resolve(port)
      else reject(new TransportError(`cannot listen on \`${name}\``, { cause }))
    })
  })
}
