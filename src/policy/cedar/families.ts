import type { SchemaJson } from '@cedar-policy/cedar-wasm/nodejs'
import { type EntityUid, entityKey } from '../../base/model/entity-uid.ts'

/** What the schema says of kinship: which types and actions an entity can have above it. */
export type Families = {
  /** By type: the type itself, and each type that an entity of it can descend from. */
  readonly types: ReadonlyMap<string, ReadonlySet<string>>
  /** By an action's key: all its groups, at any distance, by their keys. An action without groups may be missing. */
  readonly actions: ReadonlyMap<string, ReadonlyMap<string, EntityUid>>
}

/** Reads families out of a schema in JSON. */
export function readFamilies(schema: SchemaJson<string>): Families {
  return { types: readTypes(schema), actions: closeActions(readActions(schema)) }
}

function readTypes(schema: SchemaJson<string>): Families['types'] {
  const parents = new Map<string, readonly string[]>()
  const namespaces = Object.entries(schema)
  const declared = new Set(
    namespaces.flatMap(([namespace, { entityTypes }]) =>
      Object.keys(entityTypes).map((name) => qualify(namespace, name)),
    ),
  )
  for (const [namespace, { entityTypes }] of namespaces) {
    for (const [name, type] of Object.entries(entityTypes)) {
      const memberOf = 'memberOfTypes' in type ? (type.memberOfTypes ?? []) : []
      parents.set(
        qualify(namespace, name),
        memberOf.map((parent) => resolve(namespace, parent, (type) => declared.has(type))),
      )
    }
  }
  return closeTypes(parents)
}

type Groups = ReadonlyMap<string, readonly EntityUid[]>

function readActions(schema: SchemaJson<string>): Groups {
  const groups = new Map<string, readonly EntityUid[]>()
  const namespaces = Object.entries(schema)
  const declared = new Set(
    namespaces.flatMap(([namespace, { actions }]) =>
      Object.keys(actions).map((id) => entityKey({ type: qualify(namespace, 'Action'), id })),
    ),
  )
  for (const [namespace, { actions }] of namespaces) {
    for (const [id, { memberOf }] of Object.entries(actions)) {
      const above = (memberOf ?? []).map(({ type, id: group }): EntityUid => {
        const isDeclared = (type: string) => declared.has(entityKey({ type, id: group }))
        return { type: resolve(namespace, type ?? 'Action', isDeclared), id: group }
      })
      groups.set(entityKey({ type: qualify(namespace, 'Action'), id }), above)
    }
  }
  return groups
}

/**
 * The full name that a name stands for in a namespace. A bare name means the namespace's own, else the one outside of all
 * namespaces. Cedar refuses a schema that has both.
 */
function resolve(namespace: string, name: string, isDeclared: (name: string) => boolean): string {
  const own = qualify(namespace, name)
  return isDeclared(own) ? own : name
}

function qualify(namespace: string, name: string): string {
  return namespace === '' || name.includes('::') ? name : `${namespace}::${name}`
}

function closeTypes(parents: ReadonlyMap<string, readonly string[]>): Families['types'] {
  const families = new Map<string, ReadonlySet<string>>()
  for (const name of parents.keys()) {
    const family = new Set([name])
    // A set also yields what is added while it is iterated.
    for (const member of family) for (const parent of parents.get(member) ?? []) family.add(parent)
    families.set(name, family)
  }
  return families
}

/** From the direct groups of each action to all of them. */
function closeActions(groups: Groups): Families['actions'] {
  const families = new Map<string, ReadonlyMap<string, EntityUid>>()
  for (const [action, direct] of groups) {
    const family = new Map(direct.map((group) => [entityKey(group), group]))
    // A map also yields what is added while it is iterated.
    for (const key of family.keys())
      for (const group of groups.get(key) ?? []) family.set(entityKey(group), group)
    families.set(action, family)
  }
  return families
}
