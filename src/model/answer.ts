import type { DenyCode } from './decision.ts'

/** What identifies a decision to whoever sees its answer. */
type Reference = {
  readonly decisionId: string
  readonly txn: string | undefined
  readonly policyRevision: string | undefined
}

/** What Envoy is told. It carries no reason: details stay in the audit log. */
export type Answer =
  | (Reference & {
      readonly kind: 'allow'
      /** Request headers to overwrite, for the next hop. */
      readonly setHeaders: readonly (readonly [name: string, value: string])[]
      readonly removeHeaders: readonly string[]
    })
  | (Reference & { readonly kind: 'deny'; readonly code: DenyCode })
