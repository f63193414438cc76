import { nearestName } from './near-name.ts'
import { show } from './show.ts'

/** The maximum number of known names to compare. */
const maxKnown = 20

/** Returns the known name that is most similar to an unknown one, ignoring case. */
export function closestTo(unknown: string, known: Iterable<string>): string | undefined {
  const names = new Map([...known].map((name) => [name.toLowerCase(), name]))
  const nearest = nearestName(unknown.toLowerCase(), names.keys())
  return nearest === undefined ? undefined : names.get(nearest)
}

/** Returns a hint for an unknown name: the most similar known name, else all known names. */
export function hintFor(unknown: string, known: Iterable<string>): string {
  const names = [...known]
  const closest = closestTo(unknown, names)
  if (closest !== undefined) return `did you mean ${show(closest)}?`
  if (names.length === 0) return 'none is known here'
  const more = names.length > maxKnown ? ` and ${names.length - maxKnown} more` : ''
  return `known here: ${names.slice(0, maxKnown).join(', ')}${more}`
}
