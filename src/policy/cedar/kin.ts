import type { EntityJson } from '@cedar-policy/cedar-wasm/nodejs'
import { type EntityUid, entityKey, isActionType, toEntityUid } from '../../base/model/entity-uid.ts'
import { isInvalid } from '../../base/model/invalid.ts'
import { namespaceOf, parseSpiffeId, type SpiffeId } from '../../base/model/spiffe-id.ts'
import type { Entities } from './entities.ts'
import type { Families } from './families.ts'
import { reachableFrom } from './reachable.ts'

/** Knowledge about entities besides the facts of a request. */
export type KnownKin = {
  /** entities.json. */
  readonly entities: Entities
  /** The groups of actions; `undefined` if the engine has the schema and knows them. */
  readonly actions: Families['actions'] | undefined
}

/**
 * Returns the proven and the named entities, with everything that entities.json, action groups and their own names imply
 * about them and their ancestors. Cedar treats a missing entity like one without parents, so entities without parents and
 * attributes may be omitted.
 */
export function withKin(
  proven: readonly EntityJson[],
  named: readonly EntityUid[],
  { entities, actions }: KnownKin,
): readonly EntityJson[] {
  if (named.length === 0 && entities.size === 0) return proven
  const byKey = new Map(proven.map((entity) => [entityKey(toEntityUid(entity.uid)), entity]))
  const roots = [...named, ...proven.map(({ uid }) => toEntityUid(uid))]
  const found: EntityJson[] = []
  for (const [key, uid] of reachableFrom(roots, entities)) {
    const entity = isActionType(uid.type)
      ? actionEntity(uid, actions?.get(key))
      : merge(uid, entities.get(key), byKey.get(key))
    if (entity !== undefined) found.push(entity)
  }
  return found
}

function actionEntity(
  uid: EntityUid,
  groups: ReadonlyMap<string, EntityUid> | undefined,
): EntityJson | undefined {
  return groups && { uid, attrs: {}, parents: [...groups.values()] }
}

function merge(
  uid: EntityUid,
  known: EntityJson | undefined,
  proven: EntityJson | undefined,
): EntityJson | undefined {
  if (known === undefined && proven !== undefined) return proven
  const parents = proven?.parents ?? parentsByName(uid)
  if (known !== undefined) return { ...known, parents: [...known.parents, ...parents] }
  return parents.length > 0 ? { uid, attrs: {}, parents } : undefined
}

/** Returns the parents that an entity's own name implies: those of an agent and of a namespace. */
function parentsByName({ type, id }: EntityUid): EntityUid[] {
  const slash = id.indexOf('/')
  if (type === 'Namespace' && slash > 0) return [{ type: 'TrustDomain', id: id.slice(0, slash) }]
  if (type !== 'Agent') return []
  const agent = parseSpiffeId(id)
  return isInvalid(agent) ? [] : homesOf(agent)
}

/** Returns the namespace and the trust domain of an agent. */
export function homesOf(id: SpiffeId): EntityUid[] {
  const namespace = namespaceOf(id)
  const home = { type: 'TrustDomain', id: id.trustDomain }
  return namespace === undefined
    ? [home]
    : [{ type: 'Namespace', id: `${id.trustDomain}/${namespace}` }, home]
}
