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
  const { target } = query
  const entities = new Map(known)
  for (const [key, entity] of provenEntities(query)) {
    const other = known.get(key)
    entities.set(
      key,
      other === undefined ? entity : { ...other, parents: [...other.parents, ...entity.parents] },
    )
  }
  return {
    principal: principalUid(query.principal),
    action: toUid('Action', target.action.id),
    resource: toUid(target.resource.type, target.resource.id),
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

/** The entities that a request proves, each once. */
function provenEntities({ principal, delegatee, chain, target }: Query): ReadonlyMap<string, EntityJson> {
  const service = toUid('Service', target.service.name)
  const resource = toUid(target.resource.type, target.resource.id)
  const agents = delegatee === undefined ? chain.actors : [...chain.actors, delegatee]
  const proven: EntityJson[] = [
    { uid: resource, attrs: {}, parents: [service] },
    // After the resource, which may be the service itself: nothing is its own parent.
    { uid: service, attrs: {}, parents: [] },
    ...agents.map((id) => principalEntity({ kind: 'agent', id })),
    ...(chain.subject === undefined ? [] : [principalEntity({ kind: 'user', subject: chain.subject })]),
    principalEntity(principal),
  ]
  return new Map(proven.map((entity) => [entityKey(entity.uid as TypeAndId), entity]))
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
      recovered: chain.isRecovered,
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
