import type { DenyCode } from './decision.ts'

/** What is followed while we run: files, the catalog's names in DNS, where policies come from, and what they may become. */
export const followedSources = [
  'keys',
  'issuer_keys',
  'revocations',
  'certificates',
  'names',
  'policies',
  'shadow',
] as const

/** One of what is followed. */
export type FollowedSource = (typeof followedSources)[number]

/** Where which telemetry goes; the endpoint without what its URL might hide. */
type Export = { readonly what: 'traces'; readonly endpoint: string }

/** Why a connection was ended that its client did not end: a code of RFC 9113 §7, or what no frame can say. */
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

/** What happens that an operator may want to see. Rooms report; only observe/ knows logs and metrics. */
export type Event =
  | {
      readonly kind: 'checked'
      readonly decisionId: string
      readonly outcome: 'allow' | 'observed' | 'deny'
      readonly code: DenyCode | undefined
      readonly service: string | undefined
      readonly action: string | undefined
      readonly durationSeconds: number
      /** Policies that failed while they were evaluated, over all principals. */
      readonly failedPolicies: number
    }
  /** Refused for overload, and answered as the one before was. */
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
  /** It has passed this many tests of its own. */
  | { readonly kind: 'revision_tested'; readonly policyRevision: string; readonly tests: number }
  | { readonly kind: 'revision_refused'; readonly problems: readonly string[] }
  /** The source says that what serves shall serve. */
  | { readonly kind: 'revision_confirmed'; readonly confirmedAtMs: number; readonly isPinned: boolean }
  /** What an operator should know of what serves has changed; none: all is as it should be. */
  | { readonly kind: 'policy_notices'; readonly notices: readonly string[] }
  /** `names` are few and public: the signing key's `kid`, an issuer's name, a listener's address. */
  | {
      readonly kind: 'source_loaded'
      readonly what: FollowedSource
      readonly names: readonly string[]
      readonly entries: number
    }
  /** Its content has something wrong that it had not before. */
  | { readonly kind: 'source_refused'; readonly what: FollowedSource; readonly problems: readonly string[] }
  /** A poll of it failed for a reason outside of its content; `isNew` unless the poll before failed for the same reasons. */
  | {
      readonly kind: 'source_failed'
      readonly what: FollowedSource
      readonly problems: readonly string[]
      readonly isFirst: boolean
      readonly isNew: boolean
    }
  /** The first poll that did not fail. */
  | { readonly kind: 'source_recovered'; readonly what: FollowedSource }
  /** The keys of an identity provider that verify nothing, each with the reason; the others are in force. */
  | { readonly kind: 'issuer_keys_checked'; readonly issuer: string; readonly unusable: readonly string[] }
  /** What the configuration leaves open to attack, at start. */
  | { readonly kind: 'config_warned'; readonly warnings: readonly string[] }
  /** A listener's certificate, or the CAs that prove its clients: until when, and when they should be renewed. */
  | {
      readonly kind: 'certificate_read'
      readonly listener: string
      readonly what: 'cert' | 'clientCa'
      readonly expiresMs: number
      readonly renewalDueMs: number
    }
  /** Telemetry left for an endpoint; `isNews` when the last attempt had failed. */
  | (Export & { readonly kind: 'exported'; readonly items: number; readonly isNews: boolean })
  /** An attempt failed; `isNews` once an outage and then rarely. */
  | (Export & { readonly kind: 'export_failed'; readonly reason: string; readonly isNews: boolean })
  | (Export & { readonly kind: 'export_lost'; readonly items: number; readonly loss: ExportLoss })
  /** One of several processes that decide can be handed connections. */
  | { readonly kind: 'worker_opened'; readonly worker: number; readonly pid: number | undefined }
  /** It ended, by itself or by a signal; another takes its place after this time. */
  | {
      readonly kind: 'worker_ended'
      readonly worker: number
      readonly how: string
      readonly restartMs: number
    }
  /** Nobody runs who could be handed it, or nobody takes what was handed over before. */
  | { readonly kind: 'connection_dropped'; readonly why: ConnectionDrop }
  | ShadowEvent

/** Why a connection that was accepted for workers reaches none of them. */
export const connectionDrops = ['no_worker', 'backlog'] as const

/** One of those reasons. */
export type ConnectionDrop = (typeof connectionDrops)[number]

/** Why telemetry is lost on its way to an endpoint. */
export type ExportLoss = 'queue_full' | 'refused' | 'unreachable' | 'shutdown'

/** What a revision that decides nothing says of what was decided. */
export type ShadowEvent =
  | { readonly kind: 'shadow_followed'; readonly policyRevision: string }
  | { readonly kind: 'shadow_confirmed'; readonly confirmedAtMs: number }
  | {
      readonly kind: 'shadow_judged'
      readonly decisionId: string
      readonly live: 'allow' | DenyCode
      readonly shadow: 'allow' | DenyCode
      /** Of two refusals, whether the same principals refused. */
      readonly isSame: boolean
      readonly service: string
      readonly action: string
    }
  /** Too many at once, or something broke. */
  | { readonly kind: 'shadow_passed_over'; readonly why: 'dropped' | 'failed'; readonly count: number }

/** Tells the operator; never throws and never waits. */
export type Report = (event: Event) => void
