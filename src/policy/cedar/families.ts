import type { SchemaJson } from '@cedar-policy/cedar-wasm/nodejs'
import { type EntityUid, entityKey } from '../../base/model/entity-uid.ts'

/** The possible ancestors of types and actions, according to the schema. */
export type Families = {
  /** For each type: the type itself, and each possible ancestor type. */
  readonly types: ReadonlyMap<string, ReadonlySet<string>>
  /** For each action's key: all its direct and indirect groups, by key. An action without groups may be missing. */
  readonly actions: ReadonlyMap<string, ReadonlyMap<string, EntityUid>>
}

/** Reads the families from a schema in JSON. */
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
 * Resolves a name in a namespace. A bare name means the namespace's own type, else the global one. Cedar refuses a schema
 * that has both.
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
    // Iterating a set includes items that are added meanwhile.
    for (const member of family) for (const parent of parents.get(member) ?? []) family.add(parent)
    families.set(name, family)
  }
  return families
}

/** Extends the direct groups of each action to all its groups. */
function closeActions(groups: Groups): Families['actions'] {
  const families = new Map<string, ReadonlyMap<string, EntityUid>>()
  for (const [action, direct] of groups) {
    const family = new Map(direct.map((group) => [entityKey(group), group]))
    // Iterating a map includes entries that are added meanwhile.
    for (const key of family.keys())
      for (const group of groups.get(key) ?? []) family.set(entityKey(group), group)
    families.set(action, family)
  }
  return families
}
