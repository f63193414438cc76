import { type Deny, type DenyCode, deniedBy, isDeny, type PrincipalResult } from '../base/model/decision.ts'
import type { Permission } from '../decision/check/judge.ts'

/** The comparable outcome of a request: `allow`, or the code of a refusal. */
export type Outcome = {
  readonly decision: 'allow' | DenyCode
  /**
   * The roles of all who were refused, in chain order. A delegator, of whom there may be several, is given with its id.
   */
  readonly deniedBy: readonly string[]
  /** The ids of the policies that refused, or that permitted. */
  readonly policies: readonly string[]
}

/** Returns the outcome of a decision; it names no user. */
export function toOutcome(decision: Permission | Deny): Outcome {
  const deciding = isDeny(decision) ? deniedBy(decision.results) : decision.results
  const policies = deciding.flatMap(({ determiningPolicies }) => determiningPolicies.map(({ id }) => id))
  return {
    decision: isDeny(decision) ? decision.code : 'allow',
    deniedBy: isDeny(decision) ? deciding.map(toName) : [],
    policies: [...new Set(policies)].sort(),
  }
}

/** True if neither the client nor a reader of the record would see a difference. The permitting policies may differ. */
export function isSameOutcome(one: Outcome, other: Outcome): boolean {
  return one.decision === other.decision && one.deniedBy.join() === other.deniedBy.join()
}

/** Sorts changes that open access first, then those that close it. */
export function byEffect(
  one: { readonly before: Outcome; readonly after: Outcome },
  other: { readonly before: Outcome; readonly after: Outcome },
): number {
  return rankOf(one) - rankOf(other)
}

function rankOf({ before, after }: { readonly before: Outcome; readonly after: Outcome }): number {
  if (after.decision === 'allow') return 0
  return before.decision === 'allow' ? 1 : 2
}

function toName({ role, principal }: PrincipalResult): string {
  return role === 'delegator' ? `${role} ${principal.id}` : role
}
