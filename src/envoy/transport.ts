import type { Socket } from 'node:net'
import type { Headers } from '../base/model/check-input.ts'
import type { Deny } from '../base/model/decision.ts'
import type { SharedMemory } from './memory.ts'
import type { CertificateSource } from './tls.ts'

/** The context of a call besides its message. */
export type CallContext = {
  /** gRPC metadata of the Check call, without binary values. */
  readonly metadata: Headers
  /** URI SANs of the peer's certificate; empty without mTLS. */
  readonly tlsPeerUris: readonly string[]
  /** When Envoy's timeout ends, on the clock of `performance.now()`; `undefined` if it set none. */
  readonly deadlineMs: number | undefined
}

/**
 * Answers one Check, bytes for bytes. A request that cannot be read or held arrives as its denial. Never throws and never
 * rejects: every fault becomes an answer. INVARIANT: the request must stay unchanged until its answer is complete,
 * because headers are read lazily.
 */
export type CallHandler = (request: Uint8Array | Deny, call: CallContext) => Uint8Array | Promise<Uint8Array>

/** A port to listen on; 0 chooses any free one. */
export type Endpoint = { readonly address: string; readonly port: number; readonly path?: undefined }

/** A Unix socket to listen on, and its file mode. */
export type SocketFile = { readonly path: string; readonly mode: number }

/** Delivers connections that another Waywarden process accepted at the listener's address. */
export type SocketSource = (take: (socket: Socket) => void) => void

/** The options of one listener for Envoy. */
export type GrpcListener = (Endpoint | SocketFile) & {
  /** Replaces listening. */
  readonly socketSource?: SocketSource | undefined
  readonly tls: CertificateSource | undefined
  /** Counts the bytes that all listeners hold for their clients. */
  readonly memory: SharedMemory
  readonly reflection: boolean
  readonly maxConcurrentStreams: number
  readonly maxConnectionAgeSeconds: number
  readonly maxConnectionAgeGraceSeconds: number
}

/** One listener of `envoy.service.auth.v3.Authorization` and `grpc.health.v1.Health`. */
export interface Transport extends AsyncDisposable {
  /** `IP:port` with the actual port, or `unix://` and a path. */
  readonly address: string
  /** 0 on a Unix socket. */
  readonly port: number
  /** Sets the health status; `NOT_SERVING` at first. */
  setServing(isServing: boolean): void
  /** Stops accepting calls (GOAWAY), lets calls in progress finish, and closes the rest after `graceMs`. */
  drain(graceMs: number): Promise<void>
}

/** A transport could not start. */
export class TransportError extends Error {
  override readonly name = 'TransportError'
  readonly code = 'listen_failed'
}

/** Formats the path of a Unix socket as gRPC does. */
export function toSocketName(path: string): string {
  return `unix://${path}`
}
