import type { Path } from '../base/document/yaml.ts'
import type { SpiffeId } from '../base/model/spiffe-id.ts'

/** Settings of which every part may be missing, because it is wrong by itself and reported already. */
export type Draft<T> = T extends SpiffeId | string | number | boolean | undefined
  ? T | undefined
  : T extends readonly (infer Item)[]
    ? readonly Draft<Item>[] | undefined
    : { readonly [Key in keyof T]?: Draft<T[Key]> } | undefined

/** What two settings say against each other, and what to do. */
export type Conflict = { readonly path: Path; readonly message: string }

/** Every item whose value stands before it in the list. */
export function repetitions(
  items: readonly { readonly value: string | undefined; readonly path: Path }[],
  what: string,
): readonly Conflict[] {
  const values = items.map(({ value }) => value)
  return items
    .filter(({ value }, index) => value !== undefined && values.indexOf(value) < index)
    .map(({ path, value }) => ({
      path,
      message: `this ${what} is taken: \`${value}\` stands before; every one must differ`,
    }))
}
