import type * as v from 'valibot'
import type { Draft } from './conflict.ts'
import { settingsSchema } from './schema.ts'
import type { Settings } from './settings.ts'
import { type Path, type SchemaNode, unwrap } from './tree.ts'
import { show } from './values.ts'

/** What the schema does not accept, in words for whoever writes the file. */
export type Issue = { readonly path: Path; readonly message: string }

/** Says of a finding of the schema where it is and what to do. */
export function toIssue(found: v.BaseIssue<unknown>): Issue {
  return { path: pathOf(found), message: toMessage(found) }
}

/** What is left of the settings without what has an issue; to be looked at for conflicts and nothing else. Changes them. */
export function without(settings: unknown, issues: readonly Issue[]): Draft<Settings> {
  for (const { path } of issues) {
    if (path.length === 0) return undefined
    const holder = path
      .slice(0, -1)
      .reduce<unknown>((node, key) => (isHolder(node) ? node[key] : undefined), settings)
    const last = path.at(-1)
    if (isHolder(holder) && last !== undefined) holder[last] = undefined
  }
  // What is left has passed its schema, which is what a draft says.
  return settings as Draft<Settings>
}

function pathOf(issue: v.BaseIssue<unknown>): Path {
  return (issue.path ?? []).map(({ key }) => (typeof key === 'number' ? key : String(key)))
}

function toMessage(issue: v.BaseIssue<unknown>): string {
  if (issue.type !== 'strict_object') return issue.message
  if (issue.received !== 'undefined') return `expected keys and values, found ${show(issue.input)}`
  return `missing; add it: ${describe(settingsSchema, pathOf(issue))}`
}

function describe(schema: SchemaNode, path: Path): string {
  const [key, ...rest] = path
  const { entries, item } = unwrap(schema)
  const child = key === undefined ? undefined : (entries?.[key] ?? item)
  if (child !== undefined) return describe(child, rest)
  const description = 'pipe' in schema && Array.isArray(schema.pipe) ? schema.pipe.at(-1) : undefined
  return description?.description ?? 'see `waywarden config schema`'
}

function isHolder(node: unknown): node is Record<string | number, unknown> {
  return typeof node === 'object' && node !== null
}
