import type { EntityUid } from './entity-uid.ts'

/**
 * All reasons to refuse. The same string is the metric label, the audit field and the heading in docs/decision-codes.md.
 */
export const denyCodes = [
  'peer_missing',
  'peer_malformed',
  'peer_conflict',
  'waypoint_unknown',
  'request_malformed',
  'request_too_large',
  'path_ambiguous',
  'service_unknown',
  'route_unknown',
  'chain_missing',
  'chain_malformed',
  'chain_too_large',
  'chain_too_deep',
  'chain_signature',
  'chain_key_unknown',
  'chain_issuer_unknown',
  'chain_expired',
  'chain_not_yet_valid',
  'chain_not_yours',
  'chain_revoked',
  'token_missing',
  'token_invalid',
  'token_expired',
  'token_audience',
  'token_key_unknown',
  'token_from_agent',
  'scope_missing',
  'policy_denied',
  'policy_error',
  'policy_unavailable',
  'overloaded',
  'deadline_exceeded',
  'audit_unavailable',
  'internal_error',
] as const

/** One reason to refuse. */
export type DenyCode = (typeof denyCodes)[number]

/** The role of a principal in the chain. An autonomous caller acts only for itself. */
export type Role = 'caller' | 'delegator' | 'subject' | 'autonomous'

/** The place of a policy: `id` is `file#name`, `line` counts from 1. */
export type PolicyReference = { readonly id: string; readonly file: string; readonly line: number }

/** Cedar's answer for one principal of the chain, with the responsible policies. */
export type PrincipalResult = {
  readonly principal: EntityUid
  readonly role: Role
  /** `error`: a forbid could not be evaluated. `unavailable`: the engine failed, so nothing is known. */
  readonly outcome: 'permit' | 'forbid' | 'no-permit' | 'error' | 'unavailable'
  readonly determiningPolicies: readonly PolicyReference[]
  /** Cedar's evaluation errors, by policy. */
  readonly errors: readonly { readonly policy: PolicyReference; readonly message: string }[]
}

/** A refusal. The client receives `code`; the audit log also has `reason`. */
export type Deny = {
  readonly kind: 'deny'
  readonly code: DenyCode
  readonly reason: string
  /**
   * Cedar's answers for every principal, in the order caller, delegators, subject; empty if the policies were not asked.
   */
  readonly results: readonly PrincipalResult[]
  /** The identity provider whose token this is about, by our name for it. */
  readonly issuer?: string
  /** When the same request may be answered differently. */
  readonly retryAfterSeconds?: number
}

/** Refuses with a code for the client and a reason for the audit log only. */
export function deny(code: DenyCode, reason: string, results: readonly PrincipalResult[] = []): Deny {
  return { kind: 'deny', code, reason, results }
}

/** True if a step of the check refused. */
export function isDeny<V>(value: V): value is Extract<V, Deny>
export function isDeny(value: { readonly kind?: unknown } | undefined): boolean {
  // Reading a property that may be missing is many times faster than testing with `in`.
  return value?.kind === 'deny'
}

/** Returns all principals that were refused, not just the first. */
export function deniedBy(results: readonly PrincipalResult[]): readonly PrincipalResult[] {
  return results.filter((result) => result.outcome !== 'permit')
}
