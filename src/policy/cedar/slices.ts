import { groupBy } from '../../base/collections/group-by.ts'
import { type EntityUid, entityKey, isSameEntity, toEntityUid } from '../../base/model/entity-uid.ts'
import type { Target } from '../../base/model/target.ts'
import { namedInScope } from '../rules/policy-facts.ts'
import type { Families } from './families.ts'
import type { Policy } from './policies.ts'

/** The policies that are relevant to one kind of question; `key` names the kind. */
export type Slice = { readonly key: string; readonly policies: readonly Policy[] }

/** The part of a target that selects a slice. */
export type SliceTarget = Pick<Target, 'action' | 'resource'> & {
  readonly service: Pick<Target['service'], 'name'>
}

/**
 * Cuts a slice of policies for each kind of question (service, action, resource type, principal type), once. A policy is
 * left out only if its scope cannot match any question of the kind. Everything that is not understood is kept.
 */
export function createSlicer(
  policies: readonly Policy[],
  families: Families,
): (target: SliceTarget, principalType: string) => Slice {
  const slices = new Map<string, Slice>()
  const places = new Map(policies.map((policy, index) => [policy, index]))
  // A policy whose scope names a service matches no other service. The key `undefined` has the policies that name none.
  const byService = groupBy(policies, (policy) => namedInScope(policy).service)
  const ofAnyService = byService.get(undefined) ?? []
  const cut = (key: string, choose: () => readonly Policy[]): Slice => {
    const known = slices.get(key)
    if (known !== undefined) return known
    const slice = { key, policies: choose() }
    slices.set(key, slice)
    return slice
  }
  return (target, principalType) => {
    const { service, action, resource } = target
    const canMatch = ({ json }: Policy) =>
      matchesPrincipal(json.principal, principalType, families) &&
      matchesAction(json.action, target, families) &&
      matchesResource(json.resource, target, families)
    // Only an action's id may contain arbitrary text. Its length separates it from the service.
    const kind = `${resource.type} ${principalType} ${action.type} ${action.id.length} ${action.id}`
    // INVARIANT: policies that name no service apply to all services alike, so services without their own policies share
    // a slice.
    const common = cut(kind, () => ofAnyService.filter(canMatch))
    const own = byService.get(service.name)
    if (own === undefined) return common
    return cut(`${kind}${service.name}`, () =>
      [...common.policies, ...own.filter(canMatch)].sort(
        (one, other) => (places.get(one) ?? 0) - (places.get(other) ?? 0),
      ),
    )
  }
}

function matchesPrincipal(scope: Policy['json']['principal'], type: string, { types }: Families): boolean {
  const family = types.get(type) ?? new Set([type])
  switch (scope.op) {
    case 'All':
      return true
    case '==':
      return !('entity' in scope) || toEntityUid(scope.entity).type === type
    case 'in':
      return !('entity' in scope) || family.has(toEntityUid(scope.entity).type)
    case 'is':
      if (scope.entity_type !== type) return false
      return (
        scope.in === undefined || !('entity' in scope.in) || family.has(toEntityUid(scope.in.entity).type)
      )
  }
}

function matchesAction(
  scope: Policy['json']['action'],
  { action }: SliceTarget,
  { actions }: Families,
): boolean {
  const groups = actions.get(entityKey(action))
  const isIn = (named: EntityUid) => isSameEntity(named, action) || groups?.has(entityKey(named)) === true
  switch (scope.op) {
    case 'All':
      return true
    case '==':
      return !('entity' in scope) || isSameEntity(toEntityUid(scope.entity), action)
    case 'in': {
      const named = 'entities' in scope ? scope.entities : [scope.entity]
      return named.some((entity) => isIn(toEntityUid(entity)))
    }
  }
}

function matchesResource(
  scope: Policy['json']['resource'],
  target: SliceTarget,
  families: Families,
): boolean {
  const { resource, service } = target
  const family = families.types.get(resource.type) ?? new Set([resource.type])
  const canDescendFrom = ({ type, id }: EntityUid) => {
    // Every resource is in its own service only; entities.json is checked for it.
    return type === 'Service' ? id === service.name : family.has(type)
  }
  switch (scope.op) {
    case 'All':
      return true
    case '==':
      return !('entity' in scope) || isKind(toEntityUid(scope.entity), target)
    case 'in':
      return !('entity' in scope) || canDescendFrom(toEntityUid(scope.entity))
    case 'is':
      if (scope.entity_type !== resource.type) return false
      return scope.in === undefined || !('entity' in scope.in) || canDescendFrom(toEntityUid(scope.in.entity))
  }
}

function isKind({ type, id }: EntityUid, { resource, service }: SliceTarget): boolean {
  return type === resource.type && (type !== 'Service' || id === service.name)
}
