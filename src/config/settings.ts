import type { PeerSource } from '../base/model/caller.ts'
import type { SpiffeId, TrustDomain } from '../base/model/spiffe-id.ts'
import type { ProviderName } from '../base/providers/provider-rules.ts'
import type { TracingSettings } from './tracing.ts'
import type { Endpoint, SocketPath } from './values.ts'

/** The certificate files of a listener. */
export type TlsFiles = { readonly cert: string; readonly key: string; readonly clientCa?: string | undefined }

/** The peers that present users' tokens. */
export type Ingress = {
  readonly peers: readonly { readonly id: SpiffeId; readonly issuers: readonly string[] }[]
  readonly forwardAuthorization: boolean
  readonly tokenCopies: readonly string[]
}

/** Where a provider's keys are: a `file`, a `url`, or `discovery`, which `url` overrides; the rest is for fetched keys. */
export type ProviderKeySettings = {
  readonly file?: string | undefined
  readonly url?: string | undefined
  readonly discovery?: boolean | undefined
  readonly origins?: readonly string[] | undefined
  readonly ca?: string | undefined
  readonly every?: number | undefined
  readonly cooldown?: number | undefined
  readonly keep?: string | undefined
  readonly seed?: string | undefined
  readonly maxStaleness?: number | undefined
}

/**
 * An identity provider of users, with exactly one of `jwks`, a file, and `keys`. `id`, `userClaim` and `groups` name claims.
 */
export type UserIssuer = {
  readonly name: string
  readonly provider?: ProviderName | undefined
  readonly issuer: string
  /** `callee` for the SPIFFE ID of the called service. */
  readonly audience?: string | readonly string[] | undefined
  readonly jwks?: string | undefined
  readonly keys?: ProviderKeySettings | undefined
  readonly id: string
  readonly userClaim?: string | undefined
  readonly groups?: string | undefined
  readonly groupsAbsent: 'refuse' | 'none'
  readonly groupsAllow: readonly string[]
  readonly clients: readonly string[] | 'any'
}

/** A policy repository in Git. All paths except `path` are on this machine. */
export type GitRepository = {
  readonly url: string
  readonly ref: string
  readonly path: string
  readonly interval: number
  readonly timeout: number
  readonly directory: string
  readonly maxSize: number
  readonly rewrites: 'refuse' | 'follow'
  readonly pinRef: string
  readonly sshKey?: string | undefined
  readonly knownHosts?: string | undefined
  readonly tokenFile?: string | undefined
  readonly tokenUser: string
  readonly ca?: string | undefined
  readonly proxy?: string | undefined
  readonly proxyAuthFile?: string | undefined
  readonly allowedSigners?: string | undefined
}

/** The policy source: exactly one of `directory` and `git`. */
export type PolicyRepository = {
  readonly directory?: string | undefined
  readonly git?: GitRepository | undefined
  readonly tests: 'required' | 'ignored'
  readonly maxStaleness?: number | undefined
  readonly shadow?: ShadowPolicy | undefined
}

/** The shadow's source: exactly one of `ref` and `directory`. */
export type ShadowPolicy = {
  readonly ref?: string | undefined
  readonly directory?: string | undefined
  readonly sample: number
  readonly perSecond: number
}

/** waywarden.yaml with its own names and defaults; durations are milliseconds. */
export type Settings = {
  readonly version: 1
  readonly listeners: readonly {
    readonly address: Endpoint | SocketPath
    readonly socketAccess?: 'owner' | 'group' | undefined
    readonly peer: PeerSource
    readonly tls?: TlsFiles | undefined
    readonly plaintext?: 'behind-ztunnel' | undefined
    readonly transport: 'grpc-js' | 'lean'
    readonly reflection: boolean
    readonly maxConcurrentStreams: number
    readonly maxConnectionAge: number
    readonly maxConnectionAgeGrace: number
  }[]
  readonly admin: { readonly address: Endpoint }
  readonly deadline: number
  readonly maxInFlight: number
  readonly workers: number
  readonly drain: number
  readonly chain: {
    readonly issuer: string
    readonly trustDomain: TrustDomain
    readonly trustDomainAliases: readonly TrustDomain[]
    readonly header: string
    readonly keys: string
    readonly revocations?: string | undefined
    readonly hopLifetime: number
    readonly maxLifetime: number
    readonly ceiling: 'fixed' | 'token'
    readonly maxDepth: number
  }
  readonly ingress: Ingress
  readonly users: readonly UserIssuer[]
  readonly policy: PolicyRepository
  readonly audit: {
    readonly directory: string
    readonly mode: 'written' | 'durable' | 'buffered'
    readonly key?: string | undefined
    readonly pseudonyms?: string | undefined
    readonly retention: { readonly age?: number | undefined; readonly size?: number | undefined }
    readonly stdout: boolean
    readonly segmentSize: number
  }
  readonly recovery?:
    | {
        readonly trace: boolean
        readonly headers: readonly string[]
        readonly maxChains: number
        /** Why several replicas are safe; `undefined`: there is only one. */
        readonly replicas?: string | undefined
      }
    | undefined
  readonly cache: { readonly decisions: number; readonly chains: number }
  readonly observe?:
    | { readonly until: { readonly startsAtMs: number }; readonly services?: readonly string[] | undefined }
    | undefined
  readonly tracing?: TracingSettings | undefined
  readonly log: { readonly level: 'debug' | 'info' | 'warn' | 'error' }
}
