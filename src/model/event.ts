import type { DenyCode } from './decision.ts'

/** Files that are followed while we run. */
export type Followed = 'keys' | 'issuer_keys' | 'revocations' | 'certificates'

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
    }
  | { readonly kind: 'fault'; readonly where: string; readonly cause: unknown }
  | { readonly kind: 'listening'; readonly what: string; readonly address: string }
  | { readonly kind: 'draining'; readonly signal: string }
  | {
      readonly kind: 'revision_served'
      readonly policyRevision: string
      readonly policies: number
      readonly services: number
    }
  | { readonly kind: 'revision_refused'; readonly problems: readonly string[] }
  /** `names` are few and public: the signing key's `kid`, an issuer's name, a listener's address. */
  | {
      readonly kind: 'files_loaded'
      readonly what: Followed
      readonly names: readonly string[]
      readonly entries: number
    }
  | { readonly kind: 'files_refused'; readonly what: Followed; readonly problems: readonly string[] }

/** Tells the operator; never throws and never waits. */
export type Report = (event: Event) => void
