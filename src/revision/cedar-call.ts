import type { CedarValueJson, EntityJson, TypeAndId } from '@cedar-policy/cedar-wasm/nodejs'
import type { Subject } from '../model/chain.ts'
import type { Principal, Query } from '../model/query.ts'
import { namespaceOf, type SpiffeId } from '../model/spiffe-id.ts'
import type { CedarCall } from './engine.ts'
import { type Entities, entityKey } from './entities.ts'
import type { Footprint } from './footprint.ts'
import { reachableFrom } from './reachable.ts'

/** What is known besides the query: entities.json, the groups of actions, and what the slice's policies can read. */
export type CallScope = {
  readonly entities: Entities
  /** By action id: itself and all its groups; `undefined` when the engine has the schema and so knows them. */
  readonly actions: ReadonlyMap<string, ReadonlySet<string>> | undefined
  readonly footprint: Footprint
}

/**
 * Writes a query as Cedar takes it. Everything a client chose goes in as text of a typed value, never as a structure:
 * a `{"__entity": …}` in a header or parameter stays a string.
 */
export function toCedarCall(query: Query, scope: CallScope): CedarCall {
  const { target } = query
  const action = toUid('Action', target.action.id)
  const proven = provenEntities(query)
  const { literals } = scope.footprint
  const roots = [
    ...literals,
    action,
    ...[...proven.values()].flatMap(({ uid, parents }) => [uid, ...parents]),
  ]
  // Names are written one way only, by this file and by `parseEntities`.
  const entities = new Map(reachableFrom(roots as TypeAndId[], scope.entities))
  for (const [key, entity] of proven) {
    const other = scope.entities.get(key)
    entities.set(
      key,
      other === undefined ? entity : { ...other, parents: [...other.parents, ...entity.parents] },
    )
  }
  for (const named of scope.actions === undefined ? [] : [action, ...literals]) {
    const entity = actionEntity(named, scope.actions)
    if (entity !== undefined) entities.set(entityKey(named), entity)
  }
  return {
    principal: principalUid(query.principal),
    action,
    resource: toUid(target.resource.type, target.resource.id),
    context: toContext(query, scope.footprint.context),
    entities: [...entities.values()],
  }
}

function actionEntity(uid: TypeAndId, actions: CallScope['actions']): EntityJson | undefined {
  const family = uid.type === 'Action' ? actions?.get(uid.id) : undefined
  if (family === undefined) return undefined
  const parents = [...family].filter((group) => group !== uid.id).map((group) => toUid('Action', group))
  return { uid, attrs: {}, parents }
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

/** Of the context, what can be read; what is left out is neither encoded nor part of what is remembered. */
function toContext(query: Query, read: ReadonlySet<string> | undefined): Record<string, CedarValueJson> {
  const context: Record<string, CedarValueJson> = {}
  for (const [name, write] of Object.entries(contextAttributes)) {
    const value = read === undefined || read.has(name) ? write(query) : undefined
    if (value !== undefined) context[name] = value
  }
  return context
}

const contextAttributes: Readonly<Record<string, (query: Query) => CedarValueJson | undefined>> = {
  role: ({ role }) => role,
  delegatee: ({ delegatee }) => delegatee && toReference('Agent', delegatee.uri),
  chain: ({ chain }) => ({
    depth: chain.actors.length,
    actors: chain.actors.map((actor) => toReference('Agent', actor.uri)),
    scopes: chain.scopes.map((scope) => scope.toWellFormed()),
    recovered: chain.isRecovered,
    ...(chain.subject === undefined
      ? {}
      : { subject: { __entity: principalUid({ kind: 'user', subject: chain.subject }) } }),
  }),
  http: ({ target }) => ({ method: target.method, path: target.path.toWellFormed() }),
  params: ({ target }) =>
    Object.fromEntries([...target.params].map(([name, value]) => [name, value.toWellFormed()])),
}

function toReference(type: string, id: string): CedarValueJson {
  return { __entity: toUid(type, id) }
}

/** A lone surrogate would make the engine throw. */
function toUid(type: string, id: string): TypeAndId {
  return { type, id: id.toWellFormed() }
}
