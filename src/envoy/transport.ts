import type { Socket } from 'node:net'
import type { Headers } from '../base/model/check-input.ts'
import type { Deny } from '../base/model/decision.ts'
import type { SharedMemory } from './memory.ts'
import type { CertificateSource } from './tls.ts'

/** What a transport knows of a call beside its bytes. */
export type CallContext = {
  /** gRPC metadata of the Check call, without binary values. */
  readonly metadata: Headers
  /** URI SANs of the certificate that the peer proved to us; empty without mTLS. */
  readonly tlsPeerUris: readonly string[]
  /** When Envoy stops waiting, on the clock of `performance.now()`; `undefined` if it set no timeout. */
  readonly deadlineMs: number | undefined
}

/**
 * Answers one Check, bytes for bytes; a request that cannot be read or held comes as its denial. Never throws and never
 * rejects: whatever goes wrong is an answer. INVARIANT: the request stays as it is until its answer is there, because
 * headers are read from it when they are asked for.
 */
export type CallHandler = (request: Uint8Array | Deny, call: CallContext) => Uint8Array | Promise<Uint8Array>

/** A port to listen on; 0 takes any free one. */
export type Endpoint = { readonly address: string; readonly port: number }

/** A Unix socket to listen on, and the permissions of its file. */
export type SocketFile = { readonly path: string; readonly mode: number }

/** Delivers connections that another Waywarden process accepted at the listener's address. */
export type SocketSource = (take: (socket: Socket) => void) => void

/** One place where Envoy asks. */
export type GrpcListener = (Endpoint | SocketFile) & {
  /** Instead of listening. */
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
  /** `IP:port`, with the port that was really bound, or `unix://` and a path. */
  readonly address: string
  /** 0 on a Unix socket. */
  readonly port: number
  /** What the health service says; `NOT_SERVING` until told otherwise. */
  setServing(isServing: boolean): void
  /** Takes no new calls (GOAWAY), lets those in flight finish, and closes what is left after `graceMs`. */
  drain(graceMs: number): Promise<void>
}

/** Why a transport could not start. */
export class TransportError extends Error {
  override readonly name = 'TransportError'
  readonly code = 'listen_failed'
}

/** Writes the path of a Unix socket as gRPC names it. */
export function toSocketName(path: string): string {
  return `unix://${path}`
}
