import { nearestName } from './near-name.ts'
import { show } from './show.ts'

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
  return names.length === 0 ? 'none is known here' : `known here: ${names.join(', ')}`
}
