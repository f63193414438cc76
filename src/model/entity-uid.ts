/** A Cedar entity's name: `Service::"insurance"` is `{type: 'Service', id: 'insurance'}`. */
export type EntityUid = { readonly type: string; readonly id: string }

/** The entity's name as Cedar writes it, for people and records. */
export function formatEntityUid(uid: EntityUid): string {
  return `${uid.type}::${JSON.stringify(uid.id)}`
}
