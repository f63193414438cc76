import { nearestName } from './near-name.ts'
import { show } from './show.ts'

/** More known names than these are counted. */
const maxKnown = 20

/** The known name that an unknown one most likely means, in whatever letters it is written. */
export function closestTo(unknown: string, known: Iterable<string>): string | undefined {
  const names = new Map([...known].map((name) => [name.toLowerCase(), name]))
  const nearest = nearestName(unknown.toLowerCase(), names.keys())
  return nearest === undefined ? undefined : names.get(nearest)
}

/** What to do about an unknown name: the one that may be meant, else all that are known. */
export function hintFor(unknown: string, known: Iterable<string>): string {
  const names = [...known]
  const closest = closestTo(unknown, names)
  if (closest !== undefined) return `did you mean ${show(closest)}?`
  if (names.length === 0) return 'none is known here'
  const more = names.length > maxKnown ? ` and ${names.length - maxKnown} more` : ''
  return `known here: ${names.slice(0, maxKnown).join(', ')}${more}`
}
