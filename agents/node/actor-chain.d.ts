import type { IncomingMessage, ServerResponse } from 'node:http'

/** Where the chain may go: `host`, `host:port`, `.suffix` (two labels or more) or `.suffix:port`. Nowhere else. */
export type ActorChainOptions = {
  readonly allow: readonly string[]
  /** The header's name in lower case, when the mesh has another than `actor-chain`. */
  readonly header?: string
}

type HeaderValue = string | readonly string[] | number | undefined
type HeaderSource = Readonly<Record<string, HeaderValue>> | Iterable<readonly [string, string]>
type Fetch = typeof globalThis.fetch

/** The part of a grpc-js `Metadata` that is needed. */
type MetadataLike<M> = {
  clone(): M
  remove(name: string): void
  set(name: string, value: string): void
}

export type ActorChain = {
  /** For Express-style servers, and for node:http with the handler as `next`. */
  readonly middleware: <T>(request: IncomingMessage, response: ServerResponse, next: () => T) => T
  /** Headers for one request to this URL, without redirects; a chain that was among `headers` is replaced or removed. */
  readonly headersFor: (url: string | URL, headers?: HeaderSource) => Record<string, string>
  /** The global fetch, with the chain; every hop of a redirect is decided anew. */
  readonly fetch: Fetch
  /** For undici: `agent.compose(interceptor)`; on both sides of a redirect interceptor. */
  readonly interceptor: <D extends (options: never, handler: never) => boolean>(dispatch: D) => D
  /** A copy of grpc-js metadata for a call on this target. */
  readonly metadataFor: <M extends MetadataLike<M>>(target: string, metadata: M) => M
  /** A grpc-js client interceptor for channels to this target. */
  readonly grpcInterceptor: (
    target: string,
    // biome-ignore lint/suspicious/noExplicitAny: grpc-js types its interceptors so, and must not be needed here
  ) => (options: any, nextCall: (options: any) => any) => any
}

/** Keeps the chain of the request being served and puts it on outgoing requests, to listed destinations only. */
export function createActorChain(options: ActorChainOptions): ActorChain

/** The chain of the request being served; `undefined` when it came without one, or when none is being served. */
export function currentChain(): string | undefined

/** Runs work for the given chain; `undefined` runs it for nobody. */
export function runWithChain<T>(chain: string | undefined, work: () => T): T

/** Binds a function that a pool, a queue or an emitter calls later to the chain of now. */
export function carryChain<A extends readonly unknown[], T>(work: (...input: A) => T): (...input: A) => T
