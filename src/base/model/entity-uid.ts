/**
 * The name of a Cedar entity: `Service::"insurance"` is `{type: 'Service', id: 'insurance'}`. The type includes its
 * namespace.
 */
export type EntityUid = { readonly type: string; readonly id: string }

/** Formats an entity's name as Cedar does. */
export function formatEntityUid(uid: EntityUid): string {
  return `${uid.type}::${JSON.stringify(uid.id)}`
}

/** Returns the entity's name as a map key. The length separates type and id, so that no two names share a key. */
export function entityKey({ type, id }: EntityUid): string {
  return `${type.length}:${type}${id}`
}

/** True for the same entity. The same id in another namespace is another entity. */
export function isSameEntity(one: EntityUid, other: EntityUid): boolean {
  return one.type === other.type && one.id === other.id
}

/** True for the JSON form of an entity's name: `type` and `id` are texts. */
export function isEntityUid(value: unknown): value is EntityUid {
  return (
    typeof value === 'object' &&
    value !== null &&
    'type' in value &&
    'id' in value &&
    typeof value.type === 'string' &&
    typeof value.id === 'string'
  )
}

/** Normalizes the two spellings of a name in Cedar's JSON. */
export function toEntityUid(
  name: (EntityUid & { readonly __entity?: undefined }) | { readonly __entity: EntityUid },
): EntityUid {
  const { type, id } = name.__entity ?? name
  return { type, id }
}

/** Yields every entity name in a JSON value, in either spelling, in the order of the text. */
export function* entityUidsIn(value: unknown): Generator<EntityUid> {
  if (typeof value !== 'object' || value === null) return
  if (isEntityUid(value)) yield value
  for (const child of Object.values(value)) yield* entityUidsIn(child)
}

/** True for the type of an action: `Action`, or `Action` in a namespace. */
export function isActionType(type: string): boolean {
  return type === 'Action' || type.endsWith('::Action')
}
