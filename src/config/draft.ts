import type { Issue } from '../base/document/issue.ts'
import { isHolder } from '../base/document/schema.ts'
import type { Draft } from './conflict.ts'
import type { Settings } from './settings.ts'

/** The settings without their wrong parts, so that the rest can still be looked at for conflicts. Changes them. */
export function withoutWrongParts(settings: unknown, issues: readonly Issue[]): Draft<Settings> {
  for (const { path } of issues) {
    if (path.length === 0) return undefined
    const holder = path
      .slice(0, -1)
      .reduce<unknown>((node, key) => (isHolder(node) ? node[key] : undefined), settings)
    const last = path.at(-1)
    if (isHolder(holder) && last !== undefined) holder[last] = undefined
  }
  // All that is left has passed its schema, which is what a draft says.
  return settings as Draft<Settings>
}
