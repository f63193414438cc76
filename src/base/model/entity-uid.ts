/** A Cedar entity's name: `Service::"insurance"` is `{type: 'Service', id: 'insurance'}`. The type holds its namespace. */
export type EntityUid = { readonly type: string; readonly id: string }

/** The entity's name as Cedar writes it, for people and records. */
export function formatEntityUid(uid: EntityUid): string {
  return `${uid.type}::${JSON.stringify(uid.id)}`
}

/** The entity's name as a map key. The length separates type and id, so that no two names share a key. */
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

/** The name in either of the spellings that Cedar's JSON has for it. */
export function toEntityUid(name: EntityUid | { readonly __entity: EntityUid }): EntityUid {
  const { type, id } = '__entity' in name ? name.__entity : name
  return { type, id }
}

/** Every name of an entity that occurs in a JSON value, in either spelling, in the order of the text. */
export function* entityUidsIn(value: unknown): Generator<EntityUid> {
  if (typeof value !== 'object' || value === null) return
  if (isEntityUid(value)) yield value
  for (const child of Object.values(value)) yield* entityUidsIn(child)
}

/** True for the type of an action: `Action`, or `Action` in a namespace. */
export function isActionType(type: string): boolean {
  return type === 'Action' || type.endsWith('::Action')
}
