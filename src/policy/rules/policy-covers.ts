import type { PolicyJson, PrincipalConstraint, ResourceConstraint } from '@cedar-policy/cedar-wasm/nodejs'
import { type EntityUid, entityKey, isSameEntity, toEntityUid } from '../../base/model/entity-uid.ts'
import { isProblems } from '../../base/model/problems.ts'
import type { Entities } from '../cedar/entities.ts'
import type { Families } from '../cedar/families.ts'
import type { Policy } from '../cedar/policies.ts'
import { splitPolicies } from '../cedar/policy-parts.ts'
import { loadParts } from '../revision/load.ts'
import type { Revision } from '../revision/revision.ts'
import { namedInScope } from './policy-facts.ts'

/** A policy that another policy makes redundant. */
export type Covered = { readonly policy: Policy; readonly by: Policy }

type Kin = Pick<{ entities: Entities; families: Families }, 'entities' | 'families'>

/**
 * Finds redundant policies: another one matches everything that they match, under fewer conditions. A permit may also be
 * covered by a forbid, and then never permits. Conditions are compared as text, so some cases are missed.
 */
export function coveredPolicies(revision: Revision): readonly Covered[] {
  const parts = loadParts(revision, { hasServed: true })
  if (isProblems(parts)) return []
  const demands = new Map(
    splitPolicies(revision.policies).map(({ policy, parts: pieces }) => {
      const conditions = pieces.filter(({ kind }) => kind === 'when' || kind === 'unless')
      return [policy.id, new Set(conditions.map(({ kind, text }) => `${kind} ${text}`))] as const
    }),
  )
  const covers = (wide: Policy, narrow: Policy): boolean => {
    const mayCover = wide.json.effect === narrow.json.effect || wide.json.effect === 'forbid'
    if (wide.id === narrow.id || !mayCover || !coversScope(wide.json, narrow.json, parts)) return false
    const asked = demands.get(narrow.id) ?? new Set()
    return [...(demands.get(wide.id) ?? [])].every((demand) => asked.has(demand))
  }
  const { policies } = revision
  const places = new Map(policies.map((policy, index) => [policy.id, index]))
  const byService = new Map<string | undefined, Policy[]>()
  for (const policy of policies) {
    const { service } = namedInScope(policy)
    const group = byService.get(service)
    if (group === undefined) byService.set(service, [policy])
    else group.push(policy)
  }
  return policies.flatMap((policy) => {
    // Of two equal policies the later one is redundant.
    const isEarlier = (other: Policy) => (places.get(other.id) ?? 0) < (places.get(policy.id) ?? 0)
    const near = new Set([
      ...(byService.get(namedInScope(policy).service) ?? []),
      ...(byService.get(undefined) ?? []),
    ])
    const by = [...near].find(
      (other) => covers(other, policy) && (isEarlier(other) || !covers(policy, other)),
    )
    return by === undefined ? [] : [{ policy, by }]
  })
}

function coversScope(wide: PolicyJson, narrow: PolicyJson, kin: Kin): boolean {
  return (
    coversPlace(wide.principal, narrow.principal, kin) &&
    coversPlace(wide.resource, narrow.resource, kin) &&
    coversAction(wide.action, narrow.action, kin)
  )
}

type Place = PrincipalConstraint | ResourceConstraint

function coversPlace(wide: Place, narrow: Place, kin: Kin): boolean {
  if (narrow.op === 'All') return wide.op === 'All'
  const exact = narrow.op === '==' && 'entity' in narrow ? toEntityUid(narrow.entity) : undefined
  const above = placeOf(narrow)
  switch (wide.op) {
    case 'All':
      return true
    case '==':
      return 'entity' in wide && exact !== undefined && isSameEntity(toEntityUid(wide.entity), exact)
    case 'in':
      return 'entity' in wide && isWithin(exact ?? above, toEntityUid(wide.entity), kin)
    case 'is': {
      const isType =
        exact?.type === wide.entity_type || (narrow.op === 'is' && narrow.entity_type === wide.entity_type)
      if (!isType || wide.in === undefined) return isType
      return 'entity' in wide.in && isWithin(exact ?? above, toEntityUid(wide.in.entity), kin)
    }
  }
}

/** Returns the entity that a scope requires as ancestor. */
function placeOf(scope: Place): EntityUid | undefined {
  const place = scope.op === 'is' ? scope.in : scope.op === 'in' ? scope : undefined
  return place !== undefined && 'entity' in place ? toEntityUid(place.entity) : undefined
}

function coversAction(wide: PolicyJson['action'], narrow: PolicyJson['action'], { families }: Kin): boolean {
  if (wide.op === 'All') return true
  if (narrow.op === 'All') return false
  const [groups, members] = [actionKeysOf(wide), actionKeysOf(narrow)]
  if (wide.op === '==') return narrow.op === '==' && groups[0] === members[0]
  return members.every((member) =>
    groups.some((group) => group === member || families.actions.get(member)?.has(group) === true),
  )
}

function actionKeysOf(scope: Exclude<PolicyJson['action'], { op: 'All' }>): readonly string[] {
  const named = 'entities' in scope ? scope.entities : 'entity' in scope ? [scope.entity] : []
  return named.map((entity) => entityKey(toEntityUid(entity)))
}

function isWithin(inner: EntityUid | undefined, outer: EntityUid, { entities }: Kin): boolean {
  if (inner === undefined) return false
  const seen = new Set<string>()
  const climb = (uid: EntityUid): boolean => {
    if (isSameEntity(uid, outer)) return true
    const key = entityKey(uid)
    if (seen.has(key)) return false
    seen.add(key)
    return (entities.get(key)?.parents ?? []).some((parent) => climb(toEntityUid(parent)))
  }
  return climb(inner)
}
