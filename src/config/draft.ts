import type { Issue } from '../base/document/issue.ts'
import { isHolder } from '../base/document/schema.ts'
import type { Draft } from './conflict.ts'
import type { Settings } from './settings.ts'

/** Removes invalid parts from the settings, so that the rest can be checked for conflicts. Changes them. */
export function withoutWrongParts(settings: unknown, issues: readonly Issue[]): Draft<Settings> {
  for (const { path } of issues) {
    if (path.length === 0) return undefined
    const holder = path
      .slice(0, -1)
      .reduce<unknown>((node, key) => (isHolder(node) ? node[key] : undefined), settings)
    const last = path.at(-1)
    if (isHolder(holder) && last !== undefined) holder[last] = undefined
  }
  // All remaining parts have passed their schema, as a draft requires.
  return settings as Draft<Settings>
}
