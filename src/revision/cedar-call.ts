import type { CedarValueJson, EntityJson, TypeAndId } from '@cedar-policy/cedar-wasm/nodejs'
import type { Subject } from '../model/chain.ts'
import type { Principal, Query } from '../model/query.ts'
import { namespaceOf, type SpiffeId } from '../model/spiffe-id.ts'
import type { CedarCall } from './engine.ts'
import { type Entities, entityKey } from './entities.ts'

/**
 * Writes a query as Cedar takes it. Everything a client chose goes in as text of a typed value, never as a structure:
 * a `{"__entity": …}` in a header or parameter stays a string.
 */
export function toCedarCall(query: Query, known: Entities): CedarCall {
  const { target, chain, delegatee } = query
  const principal = principalUid(query.principal)
  const resource = toUid(target.resource.type, target.resource.id)
  const service = toUid('Service', target.service.name)
  const entities = new Map(known)
  add(entities, principalEntity(query.principal))
  add(entities, { uid: service, attrs: {}, parents: [] })
  add(entities, { uid: resource, attrs: {}, parents: resource.type === 'Service' ? [] : [service] })
  for (const actor of chain.actors) add(entities, principalEntity({ kind: 'agent', id: actor }))
  if (delegatee !== undefined) add(entities, principalEntity({ kind: 'agent', id: delegatee }))
  if (chain.subject !== undefined) add(entities, principalEntity({ kind: 'user', subject: chain.subject }))
  return {
    principal,
    action: toUid('Action', target.action.id),
    resource,
    context: toContext(query),
    entities: [...entities.values()],
  }
}

/** The Cedar entity that stands for a principal. */
export function principalUid(principal: Principal): TypeAndId {
  switch (principal.kind) {
    case 'agent':
      return toUid('Agent', principal.id.uri)
    case 'autonomous':
      return toUid('Autonomous', principal.id.uri)
    case 'user':
      return toUid('User', `${principal.subject.issuerName}/${principal.subject.id}`)
  }
}

function principalEntity(principal: Principal): EntityJson {
  return { uid: principalUid(principal), attrs: {}, parents: parentsOf(principal) }
}

function parentsOf(principal: Principal): TypeAndId[] {
  switch (principal.kind) {
    case 'agent':
      return homesOf(principal.id)
    case 'autonomous':
      return []
    case 'user':
      return groupsOf(principal.subject)
  }
}

function homesOf(id: SpiffeId): TypeAndId[] {
  const namespace = namespaceOf(id)
  const home = toUid('TrustDomain', id.trustDomain)
  return namespace === undefined ? [home] : [toUid('Namespace', `${id.trustDomain}/${namespace}`), home]
}

/** Another issuer's group of the same name is another group. */
function groupsOf({ issuerName, groups }: Subject): TypeAndId[] {
  return groups.map((group) => toUid('Group', `${issuerName}/${group}`))
}

/** Adds parents to what is known of an entity; attributes and tags come from entities.json alone. */
function add(entities: Map<string, EntityJson>, entity: EntityJson): void {
  const { type, id } = entity.uid as TypeAndId
  const key = entityKey({ type, id })
  const other = entities.get(key)
  entities.set(
    key,
    other === undefined ? entity : { ...other, parents: [...other.parents, ...entity.parents] },
  )
}

function toContext({ role, delegatee, chain, target }: Query): Record<string, CedarValueJson> {
  const params: Record<string, string> = {}
  for (const [name, value] of target.params) params[name] = value.toWellFormed()
  return {
    role,
    ...(delegatee === undefined ? {} : { delegatee: toReference('Agent', delegatee.uri) }),
    chain: {
      depth: chain.actors.length,
      actors: chain.actors.map((actor) => toReference('Agent', actor.uri)),
      scopes: chain.scopes.map((scope) => scope.toWellFormed()),
      ...(chain.subject === undefined
        ? {}
        : { subject: { __entity: principalUid({ kind: 'user', subject: chain.subject }) } }),
    },
    http: { method: target.method, path: target.path.toWellFormed() },
    params,
  }
}

function toReference(type: string, id: string): CedarValueJson {
  return { __entity: toUid(type, id) }
}

/** A lone surrogate would make the engine throw. */
function toUid(type: string, id: string): TypeAndId {
  return { type, id: id.toWellFormed() }
}
