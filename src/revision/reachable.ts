import type { EntityJson, TypeAndId } from '@cedar-policy/cedar-wasm/nodejs'
import { type Entities, entityKey } from './entities.ts'

/**
 * The entities that an evaluation can come upon when it starts from `roots`: their parents, what their attributes and
 * tags refer to, and so on. What cannot be reached cannot change an answer, so it is not sent.
 */
export function reachableFrom(roots: Iterable<TypeAndId>, entities: Entities): Entities {
  const reached = new Map<string, EntityJson>()
  const visit = (uid: TypeAndId) => {
    const key = entityKey(uid)
    const entity = entities.get(key)
    if (entity === undefined || reached.has(key)) return
    reached.set(key, entity)
    for (const reference of referencesIn([entity.parents, entity.attrs, entity.tags])) visit(reference)
  }
  for (const root of roots) visit(root)
  return reached
}

/** Everything in a JSON value that has the shape of an entity's name. */
function* referencesIn(value: unknown): Generator<TypeAndId> {
  if (typeof value !== 'object' || value === null) return
  if (isUid(value)) yield value
  for (const child of Object.values(value)) yield* referencesIn(child)
}

function isUid(value: object): value is TypeAndId {
  return 'type' in value && 'id' in value && typeof value.type === 'string' && typeof value.id === 'string'
}
