import { type EntityUid, entityKey, entityUidsIn } from '../../base/model/entity-uid.ts'
import type { Entities } from './entities.ts'

/**
 * The entities that an evaluation can meet when it starts from `roots`, by their keys: the roots, their parents, what
 * their attributes and tags refer to, and so on. An entity that cannot be met cannot change an answer, so it is not sent.
 */
export function reachableFrom(
  roots: Iterable<EntityUid>,
  entities: Entities,
): ReadonlyMap<string, EntityUid> {
  const reached = new Map<string, EntityUid>()
  for (const root of roots) reached.set(entityKey(root), root)
  // A map also yields what is added while it is iterated.
  for (const key of reached.keys()) {
    const { parents, attrs, tags } = entities.get(key) ?? {}
    for (const uid of entityUidsIn([parents, attrs, tags])) reached.set(entityKey(uid), uid)
  }
  return reached
}
