import type { DenyCode } from './decision.ts'

/** Identifies a decision to the reader of its answer. */
type Reference = {
  readonly decisionId: string
  readonly txn: string | undefined
  readonly policyRevision: string | undefined
}

/** Changes to the request's headers on its way to the callee. */
type HeaderChanges = {
  /** Headers to overwrite. */
  readonly setHeaders: readonly (readonly [name: string, value: string])[]
  readonly removeHeaders: readonly string[]
}

/** The answer to Envoy. It carries no reason: details stay in the audit log. */
export type Answer =
  | (Reference & HeaderChanges & { readonly kind: 'allow' })
  /** Passed on, although `code` would have refused it. */
  | (Reference & HeaderChanges & { readonly kind: 'observed'; readonly code: DenyCode })
  | (Reference & {
      readonly kind: 'deny'
      readonly code: DenyCode
      /** When the same request may be answered differently. */
      readonly retryAfterSeconds?: number
    })
