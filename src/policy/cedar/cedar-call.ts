import type { CedarValueJson, EntityJson } from '@cedar-policy/cedar-wasm/nodejs'
import type { Subject } from '../../base/model/chain.ts'
import type { EntityUid } from '../../base/model/entity-uid.ts'
import type { Principal, Query } from '../../base/model/query.ts'
import type { Variable } from './descents.ts'
import type { CedarCall } from './engine.ts'
import type { Footprint } from './footprint.ts'
import { homesOf, type KnownKin, withKin } from './kin.ts'

/** The inputs besides the query: entities.json, the groups of actions, and the footprint of the slice's policies. */
export type CallScope = KnownKin & { readonly footprint: Footprint }

/**
 * Formats a query for Cedar. Every value that a client chose becomes text of a typed value, never a structure. So a
 * `{"__entity": …}` in a header or parameter stays a string.
 */
export function toCedarCall(query: Query, scope: CallScope): CedarCall {
  const { target } = query
  const { context, descents } = scope.footprint
  const principal = principalUid(query.principal)
  const action = toUid(target.action.type, target.action.id)
  const resource = toUid(target.resource.type, target.resource.id)
  const entities =
    descents === undefined ? anyEntities(query, action, scope) : descendants(query, action, descents, scope)
  return { principal, action, resource, context: toContext(query, context), entities }
}

/** Returns every entity that any policy could read. */
function anyEntities(query: Query, action: EntityUid, scope: CallScope): readonly EntityJson[] {
  const { literals } = scope.footprint
  return withKin(provenEntities(query), [action, ...literals], scope)
}

/**
 * Returns the variables whose ancestors are read, with their ancestors. Cedar treats a missing entity like one without
 * ancestors, so entities without ancestors are left out.
 */
function descendants(
  query: Query,
  action: EntityUid,
  descents: ReadonlySet<Variable>,
  scope: CallScope,
): readonly EntityJson[] {
  const proven = [
    ...(descents.has('resource') ? resourceEntities(query) : []),
    ...(descents.has('principal') ? [principalEntity(query.principal)] : []),
  ]
  const kin = withKin(proven, descents.has('action') ? [action] : [], scope)
  return kin.filter(({ parents }) => parents.length > 0)
}

/** Returns the Cedar entity of a principal. */
export function principalUid(principal: Principal): EntityUid {
  switch (principal.kind) {
    case 'agent':
      return toUid('Agent', principal.id.uri)
    case 'autonomous':
      return toUid('Autonomous', principal.id.uri)
    case 'user':
      return toUid('User', `${principal.subject.issuerName}/${principal.subject.id}`)
  }
}

/** Returns the entities that a request proves. Duplicates are equal. */
function provenEntities(query: Query): readonly EntityJson[] {
  const { principal, delegatee, chain } = query
  const agents = delegatee === undefined ? chain.actors : [...chain.actors, delegatee]
  return [
    ...resourceEntities(query),
    ...agents.map((id) => principalEntity({ kind: 'agent', id })),
    ...(chain.subject === undefined ? [] : [principalEntity({ kind: 'user', subject: chain.subject })]),
    principalEntity(principal),
  ]
}

function resourceEntities({ target: { resource, service } }: Query): readonly EntityJson[] {
  const uid = toUid('Service', service.name)
  const itself = { uid, attrs: {}, parents: [] }
  // The resource may be the service itself, which is not its own parent.
  return resource.type === uid.type && resource.id === uid.id
    ? [itself]
    : [{ uid: toUid(resource.type, resource.id), attrs: {}, parents: [uid] }, itself]
}

function principalEntity(principal: Principal): EntityJson {
  return { uid: principalUid(principal), attrs: {}, parents: parentsOf(principal) }
}

function parentsOf(principal: Principal): EntityUid[] {
  switch (principal.kind) {
    case 'agent':
      return homesOf(principal.id)
    case 'autonomous':
      return []
    case 'user':
      return groupsOf(principal.subject)
  }
}

/** Groups of different issuers are different, even with the same name. */
function groupsOf({ issuerName, groups }: Subject): EntityUid[] {
  return groups.map((group) => toUid('Group', `${issuerName}/${group}`))
}

/** Returns the readable part of the context. The rest is neither encoded nor part of the cache key. */
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
    Object.fromEntries(target.params.map(({ name, value }) => [name, value.toWellFormed()])),
}

function toReference(type: string, id: string): CedarValueJson {
  return { __entity: toUid(type, id) }
}

/** A lone surrogate would make the engine throw. */
function toUid(type: string, id: string): EntityUid {
  return { type, id: id.toWellFormed() }
}
