import type { EntityJson } from '@cedar-policy/cedar-wasm/nodejs'
import type { Problem } from '../../base/document/problem.ts'
import { type EntityUid, entityUidsIn, formatEntityUid, toEntityUid } from '../../base/model/entity-uid.ts'
import type { Cedar } from './cedar.ts'
import type { Entities } from './entities.ts'
import { expectedForm } from './literal-forms.ts'
import { createPlacesInEntities } from './literals.ts'

/**
 * Finds entities in attributes and tags of entities.json that can never exist. `{"type": …, "id": …}` is an entity only
 * if the schema says so; a record of two texts has no required form.
 */
export function malformedAttributes(
  cedar: Cedar,
  schema: string,
  entities: Entities,
  text: string,
): readonly Problem[] {
  const placeOf = createPlacesInEntities(text)
  return [...entities.values()].flatMap((entity) => {
    const suspects = [...new Set(entityUidsIn([entity.attrs, entity.tags]))].filter(
      (uid) => expectedForm(uid) !== undefined,
    )
    return suspects
      .filter((uid) => isEntity(cedar, schema, entity, uid))
      .map((uid) => ({
        ...placeOf(uid),
        message: `entity ${formatEntityUid(toEntityUid(entity.uid))}: ${formatEntityUid(uid)} can never exist: expected ${expectedForm(uid)}`,
      }))
  })
}

/** True if Cedar reads a value as an entity. Only then it also accepts the value written as one. */
function isEntity(
  cedar: Cedar,
  schema: string,
  { attrs, tags, ...entity }: EntityJson,
  uid: EntityUid,
): boolean {
  const written = { ...entity, ...spellOut(tags === undefined ? { attrs } : { attrs, tags }, uid) }
  return cedar.checkParseEntities({ entities: [written], schema }).type === 'success'
}

/** Returns the attributes and tags with one value written as an entity. */
function spellOut(
  values: Pick<EntityJson, 'attrs' | 'tags'>,
  uid: EntityUid,
): Pick<EntityJson, 'attrs' | 'tags'> {
  const map = (value: unknown, isEscaped: boolean): unknown => {
    if (value === uid) return isEscaped ? value : { __entity: value }
    if (Array.isArray(value)) return value.map((item) => map(item, false))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, map(item, key === '__entity')]),
    )
  }
  // The same JSON except for one value.
  return map(values, false) as Pick<EntityJson, 'attrs' | 'tags'>
}
