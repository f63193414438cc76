import type { Matter, Verdict } from '../authoring/situation.ts'
import { type Deny, type DenyCode, isDeny, type PrincipalResult } from '../base/model/decision.ts'
import { judge } from '../decision/check/judge.ts'
import type { Policy } from '../policy/cedar/policies.ts'
import { type PolicyPart, type PolicyParts, splitPolicies } from '../policy/cedar/policy-parts.ts'
import type { Revision } from '../policy/revision/revision.ts'
import { alternativesTo, type DecideBy } from '../policy/rules/other-policies.ts'
import { type Counterfactual, findCounterfactuals } from './counterfactuals.ts'

/** Why a request is decided as it is, and which changes would reverse that. */
export type Explanation = {
  readonly outcome: 'allow' | 'deny'
  readonly code: DenyCode | undefined
  readonly reason: string | undefined
  readonly principals: readonly ExplainedPrincipal[]
  readonly flips: readonly Counterfactual[]
}

/** The policies' answers about one principal of the chain. */
export type ExplainedPrincipal = Pick<PrincipalResult, 'principal' | 'role' | 'outcome' | 'errors'> & {
  readonly policies: readonly ShownPolicy[]
  /** For a refusal: the nearest permits, or the exemptions of a forbid. */
  readonly misses: readonly Miss[]
}

/** A policy as its author wrote it. */
export type ShownPolicy = Pick<Policy, 'id' | 'file' | 'line' | 'text'> & {
  readonly effect: 'permit' | 'forbid'
}

/** A policy that would have let the principal pass if these conditions had been different. */
export type Miss = { readonly policy: ShownPolicy; readonly conditions: readonly FailedCondition[] }

/** One part of a policy; `found` is its value for this request. */
export type FailedCondition = Pick<PolicyPart, 'kind' | 'text'> & { readonly found: Found }

/** The value of a part; `error` if Cedar could not evaluate it. */
type Found = 'true' | 'false' | 'error'

const maxMisses = 3

/** Explains a decision of `judge`. */
export function explain({ decision, matter }: Verdict, revision: Revision): Explanation {
  const summary = {
    outcome: isDeny(decision) ? ('deny' as const) : ('allow' as const),
    code: isDeny(decision) ? decision.code : undefined,
    reason: isDeny(decision) ? decision.reason : undefined,
  }
  if (matter === undefined) return { ...summary, principals: [], flips: [] }
  const decideBy = alternativesTo(revision)
  const probed = probe(matter, decision.results, revision, decideBy)
  const byId = new Map(revision.policies.map((policy) => [policy.id, policy]))
  const principals = decision.results.map((result, index): ExplainedPrincipal => {
    const { principal, role, outcome, errors, determiningPolicies } = result
    const policies = determiningPolicies.flatMap(({ id }) => toShown(byId.get(id)))
    return { principal, role, outcome, errors, policies, misses: findMisses(result, probed(index)) }
  })
  return { ...summary, principals, flips: findCounterfactuals(matter, revision, decideBy) }
}

type Probed = readonly { readonly policy: Policy; readonly conditions: readonly FailedCondition[] }[]

/** Asks Cedar about every part of every policy that applies to the resource, for each principal. */
function probe(
  matter: Matter,
  results: Deny['results'],
  { policies }: Revision,
  decideBy: DecideBy,
): (principal: number) => Probed {
  if (results.every(({ outcome }) => outcome === 'permit')) return () => []
  const places = splitPolicies(policies, ['resource'])
  const reaches = askParts(matter, places, decideBy)
  const reaching = places
    .filter(({ parts }) => parts.every((part) => reaches(0, part) === 'true'))
    .map(({ policy }) => policy)
  const near = splitPolicies(reaching)
  const found = askParts(matter, near, decideBy)
  return (principal) =>
    near.map(({ policy, parts }) => ({
      policy,
      conditions: parts.map((part) => ({
        kind: part.kind,
        text: part.text,
        found: found(principal, part),
      })),
    }))
}

function askParts(
  { caller, chain, target }: Matter,
  policies: readonly PolicyParts[],
  decideBy: DecideBy,
): (principal: number, part: PolicyPart) => Found {
  const probes = policies.flatMap(({ parts }) => parts.map((part) => part.probe))
  const { results } = judge(caller, chain, target, decideBy(probes))
  const answers = results.map(({ determiningPolicies, errors }) => ({
    holding: new Set(determiningPolicies.map(({ id }) => id)),
    failing: new Set(errors.map(({ policy }) => policy.id)),
  }))
  return (principal, { probe: { id } }) => {
    if (answers[principal]?.holding.has(id)) return 'true'
    return answers[principal]?.failing.has(id) ? 'error' : 'false'
  }
}

function findMisses(result: PrincipalResult, probed: Probed): readonly Miss[] {
  switch (result.outcome) {
    case 'permit':
    case 'unavailable':
      return []
    case 'forbid':
    case 'error':
      return findExemptions(result, probed)
    case 'no-permit':
      return findNearPermits(probed)
  }
}

/** Returns the permits with the fewest failed conditions. */
function findNearPermits(probed: Probed): readonly Miss[] {
  const permits = probed
    .filter(({ policy }) => policy.json.effect === 'permit')
    .map(({ policy, conditions }) => ({ policy, conditions: conditions.filter(isFailing) }))
    .sort((a, b) => a.conditions.length - b.conditions.length)
  const least = permits[0]?.conditions.length ?? 0
  return permits
    .filter(({ conditions }) => conditions.length === least)
    .slice(0, maxMisses)
    .flatMap(({ policy, conditions }) => toShown(policy).map((shown) => ({ policy: shown, conditions })))
}

/** Returns the `unless` conditions that would have prevented the forbids. */
function findExemptions({ determiningPolicies }: PrincipalResult, probed: Probed): readonly Miss[] {
  const ids = new Set(determiningPolicies.map(({ id }) => id))
  return probed
    .filter(({ policy }) => ids.has(policy.id))
    .flatMap(({ policy, conditions }) => {
      const sparing = conditions.filter(({ kind, found }) => kind === 'unless' && found !== 'true')
      return sparing.length === 0
        ? []
        : toShown(policy).map((shown) => ({ policy: shown, conditions: sparing }))
    })
}

function isFailing({ kind, found }: FailedCondition): boolean {
  return kind === 'unless' ? found !== 'false' : found !== 'true'
}

function toShown(policy: Policy | undefined): readonly ShownPolicy[] {
  if (policy === undefined) return []
  const { id, file, line, text, json } = policy
  return [{ id, file, line, text, effect: json.effect === 'permit' ? 'permit' : 'forbid' }]
}
