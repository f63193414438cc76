import { closestTo, hintFor } from '../text/did-you-mean.ts'
import type { Issue } from './issue.ts'
import { branchFor, isHolder, ownEntry, type SchemaNode } from './schema.ts'
import type { Path } from './yaml.ts'

/** A key that the schema does not have; `meant` is the most similar known key. */
export type UnknownKey = Issue & { readonly meant: Path | undefined }

/** Removes unknown keys from a value and returns them. Changes the value. */
export function takeUnknownKeys(schema: SchemaNode, value: unknown, path: Path = []): readonly UnknownKey[] {
  if (!isHolder(value)) return []
  const { entries, item, value: values } = branchFor(schema, value)
  if (Array.isArray(value)) {
    if (item !== undefined)
      return value.flatMap((child, index) => takeUnknownKeys(item, child, [...path, index]))
    if (entries === undefined) return []
    value.length = 0
    return [{ kind: 'wrong', path, message: 'expected keys and values, found a list', meant: undefined }]
  }
  if (values !== undefined)
    return Object.entries(value).flatMap(([key, child]) => takeUnknownKeys(values, child, [...path, key]))
  if (entries === undefined) return []
  return Object.entries(value).flatMap(([key, child]) => {
    const known = ownEntry(entries, key)
    if (known !== undefined) return takeUnknownKeys(known, child, [...path, key])
    Reflect.deleteProperty(value, key)
    const names = Object.keys(entries)
    const meant = closestTo(key, names)
    return [
      {
        kind: 'unknown' as const,
        path: [...path, key],
        message: `unknown key; ${hintFor(key, names)}`,
        meant: meant === undefined ? undefined : [...path, meant],
      },
    ]
  })
}

/** Drops issues that follow from a misspelt key: the meant key is not missing. */
export function withoutMeant(issues: readonly Issue[], unknown: readonly UnknownKey[]): readonly Issue[] {
  const meant = new Set(unknown.flatMap(({ meant: path }) => (path === undefined ? [] : [path.join('\0')])))
  return issues.filter(({ kind, path }) => !(kind === 'missing' && meant.has(path.join('\0'))))
}
