import { type EntityUid, entityKey, entityUidsIn } from '../../base/model/entity-uid.ts'
import type { Entities } from './entities.ts'

/**
 * Returns the entities that an evaluation can reach from `roots`, by key: the roots, their parents, and entities in their
 * attributes and tags, recursively. An unreachable entity cannot change an answer, so it is not sent.
 */
export function reachableFrom(
  roots: Iterable<EntityUid>,
  entities: Entities,
): ReadonlyMap<string, EntityUid> {
  const reached = new Map<string, EntityUid>()
  for (const root of roots) reached.set(entityKey(root), root)
  // Iterating a map includes entries that are added meanwhile.
  for (const key of reached.keys()) {
    const { parents, attrs, tags } = entities.get(key) ?? {}
    for (const uid of entityUidsIn([parents, attrs, tags])) reached.set(entityKey(uid), uid)
  }
  return reached
}
