import type { Path } from '../base/document/yaml.ts'
import type { SpiffeId } from '../base/model/spiffe-id.ts'

/** Settings in which any part may be missing, because it was invalid and has been reported. */
export type Draft<T> = T extends SpiffeId | string | number | boolean | undefined
  ? T | undefined
  : T extends readonly (infer Item)[]
    ? readonly Draft<Item>[] | undefined
    : { readonly [Key in keyof T]?: Draft<T[Key]> } | undefined

/** A contradiction between settings, and what to do. */
export type Conflict = { readonly path: Path; readonly message: string }

/** Returns every item whose value occurs earlier in the list. */
export function repetitions(
  items: readonly { readonly value: string | undefined; readonly path: Path }[],
  what: string,
): readonly Conflict[] {
  const values = items.map(({ value }) => value)
  return items
    .filter(({ value }, index) => value !== undefined && values.indexOf(value) < index)
    .map(({ path, value }) => ({
      path,
      message: `this ${what} is taken: \`${value}\` occurs before; each must be unique`,
    }))
}
