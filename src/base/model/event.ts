import type { DenyCode } from './decision.ts'

/**
 * The sources that are followed at runtime: files, DNS names of the catalog, and the sources of the policies and of the
 * shadow.
 */
export const followedSources = [
  'keys',
  'issuer_keys',
  'revocations',
  'certificates',
  'names',
  'policies',
  'shadow',
] as const

/** One followed source. */
export type FollowedSource = (typeof followedSources)[number]

/** One kind of telemetry and its endpoint; secrets are removed from the URL. */
type Export = { readonly what: 'traces'; readonly endpoint: string }

/** The reasons for which this server ends a connection: a code of RFC 9113 §7, or a reason without a frame. */
export const connectionFaults = [
  'protocol_error',
  'internal_error',
  'flow_control_error',
  'settings_timeout',
  'stream_closed',
  'frame_size_error',
  'refused_stream',
  'cancel',
  'compression_error',
  'enhance_your_calm',
  'silent',
  'stalled',
  'memory',
  'tls',
  'too_many',
] as const

/** One of those reasons. */
export type ConnectionFault = (typeof connectionFaults)[number]

/** Events for operators. Modules report them; only telemetry/ knows logs and metrics. */
export type Event =
  | {
      readonly kind: 'checked'
      readonly decisionId: string
      readonly outcome: 'allow' | 'observed' | 'deny'
      readonly code: DenyCode | undefined
      readonly service: string | undefined
      readonly action: string | undefined
      /**
       * The result for a user's token: whose it is by our name for the provider, if that is known, and why it was
       * refused.
       */
      readonly token:
        | { readonly issuer: string | undefined; readonly refused: DenyCode | undefined }
        | undefined
      readonly durationSeconds: number
      /** Policies with evaluation errors, over all principals. */
      readonly failedPolicies: number
    }
  /** Refused for overload, and answered like the previous check. */
  | { readonly kind: 'shed'; readonly durationSeconds: number }
  | { readonly kind: 'fault'; readonly where: string; readonly cause: unknown }
  | { readonly kind: 'listening'; readonly what: string; readonly address: string }
  | { readonly kind: 'connection_ended'; readonly why: ConnectionFault }
  | { readonly kind: 'draining'; readonly signal: string }
  | {
      readonly kind: 'revision_served'
      readonly policyRevision: string
      readonly policies: number
      readonly services: number
    }
  /** The number of the revision's own tests that passed. */
  | { readonly kind: 'revision_tested'; readonly policyRevision: string; readonly tests: number }
  | { readonly kind: 'revision_refused'; readonly problems: readonly string[] }
  /** The source confirmed the serving revision. */
  | { readonly kind: 'revision_confirmed'; readonly confirmedAtMs: number; readonly isPinned: boolean }
  /** The notices about the serving revision have changed; empty if there are none. */
  | { readonly kind: 'policy_notices'; readonly notices: readonly string[] }
  /** `names` are few and public: the signing key's `kid`, an issuer's name, a listener's address. */
  | {
      readonly kind: 'source_loaded'
      readonly what: FollowedSource
      readonly names: readonly string[]
      readonly entries: number
    }
  /** The content of a source has a new problem. */
  | { readonly kind: 'source_refused'; readonly what: FollowedSource; readonly problems: readonly string[] }
  /** A poll failed outside of the content. `isNew` is false if the previous poll failed for the same reasons. */
  | {
      readonly kind: 'source_failed'
      readonly what: FollowedSource
      readonly problems: readonly string[]
      readonly isFirst: boolean
      readonly isNew: boolean
    }
  /** The first successful poll after a failure. */
  | { readonly kind: 'source_recovered'; readonly what: FollowedSource }
  /** An identity provider's unusable keys with reasons; the other keys are in force. */
  | { readonly kind: 'issuer_keys_checked'; readonly issuer: string; readonly unusable: readonly string[] }
  /** The keys in force of a provider were read at this moment, in milliseconds since the epoch. */
  | { readonly kind: 'issuer_keys_read'; readonly issuer: string; readonly atMs: number }
  /** A token names a key that is not in the provider's set. */
  | { readonly kind: 'issuer_key_missed'; readonly issuer: string }
  /** Attacks that the configuration leaves open; reported at start. */
  | { readonly kind: 'config_warned'; readonly warnings: readonly string[] }
  /** The expiry of a listener's certificate or of its clients' CAs, and when to renew it. */
  | {
      readonly kind: 'certificate_read'
      readonly listener: string
      readonly what: 'cert' | 'clientCa'
      readonly expiresMs: number
      readonly renewalDueMs: number
    }
  /** Telemetry was sent. `isNews` if the previous attempt failed. */
  | (Export & { readonly kind: 'exported'; readonly items: number; readonly isNews: boolean })
  /** An attempt failed. `isNews` is true once at the start of an outage, and then rarely. */
  | (Export & { readonly kind: 'export_failed'; readonly reason: string; readonly isNews: boolean })
  | (Export & { readonly kind: 'export_lost'; readonly items: number; readonly loss: ExportLoss })
  /** A worker accepts connections. */
  | { readonly kind: 'worker_opened'; readonly worker: number; readonly pid: number | undefined }
  /** A worker ended by itself or by a signal. It is restarted after this time. */
  | {
      readonly kind: 'worker_ended'
      readonly worker: number
      readonly how: string
      readonly restartMs: number
    }
  /** No worker could be given the connection: none runs, or all have too many unconfirmed connections. */
  | { readonly kind: 'connection_dropped'; readonly why: ConnectionDrop }
  | ShadowEvent

/** The reasons why an accepted connection reaches no worker. */
export const connectionDrops = ['no_worker', 'backlog'] as const

/** One of those reasons. */
export type ConnectionDrop = (typeof connectionDrops)[number]

/** The reasons why telemetry is lost. */
export type ExportLoss = 'queue_full' | 'refused' | 'unreachable' | 'shutdown'

/** The shadow's answer, compared with the decision. */
export type ShadowEvent =
  | { readonly kind: 'shadow_followed'; readonly policyRevision: string }
  | { readonly kind: 'shadow_confirmed'; readonly confirmedAtMs: number }
  | {
      readonly kind: 'shadow_judged'
      readonly decisionId: string
      readonly live: 'allow' | DenyCode
      readonly shadow: 'allow' | DenyCode
      /** For two refusals: true if the same principals were refused. */
      readonly isSame: boolean
      readonly service: string
      readonly action: string
    }
  /** There were too many at once, or a fault occurred. */
  | { readonly kind: 'shadow_passed_over'; readonly why: 'dropped' | 'failed'; readonly count: number }

/** Reports an event to the operator; never throws and never waits. */
export type Report = (event: Event) => void
