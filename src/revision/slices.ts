import type { EntityUidJson, SchemaJson, TypeAndId } from '@cedar-policy/cedar-wasm/nodejs'
import type { Target } from '../model/target.ts'
import type { Policy } from './policies.ts'

/** The policies that can say anything about one kind of question; `key` names the kind. */
export type Slice = { readonly key: string; readonly policies: readonly Policy[] }

/** A target as far as it chooses a slice. */
export type SliceTarget = Pick<Target, 'action' | 'resource'> & {
  readonly service: Pick<Target['service'], 'name'>
}

/** What the schema says of families: which types and actions an entity can have above it. */
export type Families = {
  /** By type: itself and every type that an entity of it may be a descendant of. */
  readonly types: ReadonlyMap<string, ReadonlySet<string>>
  /** By action id: itself and all its groups. */
  readonly actions: ReadonlyMap<string, ReadonlySet<string>>
}

/**
 * Cuts a set of policies for each kind of question (service, action, resource type, principal type), once. A policy stays
 * out only when its scope cannot match any question of the kind; whatever is not understood stays in.
 */
export function createSlicer(
  policies: readonly Policy[],
  families: Families,
): (target: SliceTarget, principalType: string) => Slice {
  const slices = new Map<string, Slice>()
  return (target, principalType) => {
    const { service, action, resource } = target
    // Only an action may be named by any text; how long it is keeps it apart from the service.
    const key = `${resource.type} ${principalType} ${action.id.length} ${action.id}${service.name}`
    const known = slices.get(key)
    if (known !== undefined) return known
    const canMatch = ({ json }: Policy) =>
      matchesPrincipal(json.principal, principalType, families) &&
      matchesAction(json.action, target, families) &&
      matchesResource(json.resource, target, families)
    const slice = { key, policies: policies.filter(canMatch) }
    slices.set(key, slice)
    return slice
  }
}

/** Reads families out of a schema in JSON. */
export function readFamilies(schema: SchemaJson<string>): Families {
  const parents = new Map<string, readonly string[]>()
  const groups = new Map<string, readonly string[]>()
  for (const [namespace, { entityTypes, actions }] of Object.entries(schema)) {
    const qualify = (name: string) =>
      namespace === '' || name.includes('::') ? name : `${namespace}::${name}`
    for (const [name, type] of Object.entries(entityTypes)) {
      const memberOf = 'memberOfTypes' in type ? (type.memberOfTypes ?? []) : []
      // A bare name may mean the namespace's type or the one outside: both count.
      parents.set(
        qualify(name),
        memberOf.flatMap((parent) => [parent, qualify(parent)]),
      )
    }
    for (const [id, action] of Object.entries(actions))
      groups.set(
        id,
        (action.memberOf ?? []).map((group) => group.id),
      )
  }
  return { types: closures(parents), actions: closures(groups) }
}

function closures(parents: ReadonlyMap<string, readonly string[]>): ReadonlyMap<string, ReadonlySet<string>> {
  const families = new Map<string, ReadonlySet<string>>()
  for (const name of parents.keys()) {
    const family = new Set([name])
    // A set hands out what is added while it is walked.
    for (const member of family) for (const parent of parents.get(member) ?? []) family.add(parent)
    families.set(name, family)
  }
  return families
}

function matchesPrincipal(scope: Policy['json']['principal'], type: string, { types }: Families): boolean {
  const family = types.get(type) ?? new Set([type])
  switch (scope.op) {
    case 'All':
      return true
    case '==':
      return !('entity' in scope) || toUid(scope.entity).type === type
    case 'in':
      return !('entity' in scope) || family.has(toUid(scope.entity).type)
    case 'is':
      if (scope.entity_type !== type) return false
      return scope.in === undefined || !('entity' in scope.in) || family.has(toUid(scope.in.entity).type)
  }
}

function matchesAction(
  scope: Policy['json']['action'],
  { action }: SliceTarget,
  { actions }: Families,
): boolean {
  const family = actions.get(action.id) ?? new Set([action.id])
  switch (scope.op) {
    case 'All':
      return true
    case '==':
      return !('entity' in scope) || toUid(scope.entity).id === action.id
    case 'in': {
      const named = 'entities' in scope ? scope.entities : [scope.entity]
      return named.some((entity) => family.has(toUid(entity).id))
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
  const canDescendFrom = (entity: EntityUidJson) => {
    const { type, id } = toUid(entity)
    // Every resource is in its own service and, as entities.json is held to it, in no other.
    return type === 'Service' ? id === service.name : family.has(type)
  }
  switch (scope.op) {
    case 'All':
      return true
    case '==':
      return !('entity' in scope) || isKind(toUid(scope.entity), target)
    case 'in':
      return !('entity' in scope) || canDescendFrom(scope.entity)
    case 'is':
      if (scope.entity_type !== resource.type) return false
      return scope.in === undefined || !('entity' in scope.in) || canDescendFrom(scope.in.entity)
  }
}

function isKind({ type, id }: TypeAndId, { resource, service }: SliceTarget): boolean {
  return type === resource.type && (type !== 'Service' || id === service.name)
}

function toUid(entity: EntityUidJson): TypeAndId {
  return '__entity' in entity ? entity.__entity : entity
}
