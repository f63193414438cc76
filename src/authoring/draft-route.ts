import { isDeny } from '../base/model/decision.ts'
import { isInvalid } from '../base/model/invalid.ts'
import { parseRequestPath } from '../policy/catalog/path.ts'
import { covers, foldRoute, overlaps, parseRoute, type Route } from '../policy/catalog/route.ts'
import type { RouteDraft } from './service-draft.ts'

/** Observed methods and paths, as routes for a catalog. */
export type RouteSketch = {
  readonly add: (method: string, path: string) => void
  readonly result: () => {
    /** Ordered by path. Two routes overlap only if one is strictly narrower. */
    readonly routes: readonly RouteDraft[]
    /** Requests without a route: paths or methods that are always refused, and paths above the limit. */
    readonly leftOut: number
  }
}

const maxRoutes = 50
// Handwritten routes are not longer, and a log may hold many.
const maxPathLength = 512

/** Starts empty. */
export function createRouteSketch(): RouteSketch {
  const kept = new Map<string, { readonly route: Route; count: number }>()
  let leftOut = 0
  return {
    add(method, path) {
      const template = toTemplate(path)
      const text = template === undefined ? undefined : `${method} ${template}`
      const known = kept.get(text ?? '')
      if (known !== undefined) {
        known.count++
        return
      }
      const route = text === undefined ? undefined : parseRoute(text)
      const isFitting = route !== undefined && !isInvalid(route) && kept.size < maxRoutes
      if (!isFitting || [...kept.values()].some((other) => isRival(other.route, route))) leftOut++
      else kept.set(route.text, { route, count: 1 })
    },
    result() {
      const routes = [...kept.values()].map(({ route, count }) => ({
        match: route.text,
        // The product's own action, so that the draft loads before the schema has better names.
        action: route.method,
        count,
      }))
      return { routes: routes.sort((a, b) => (pathOf(a) < pathOf(b) ? -1 : 1)), leftOut }
    },
  }
}

/** Returns the path with a parameter for each segment that looks like an id. */
function toTemplate(path: string): string | undefined {
  const request = parseRequestPath(path)
  if (isDeny(request) || request.path.length > maxPathLength) return undefined
  const names = new Set<string>()
  const segments = request.segments.map((segment, index) => {
    if (!isId(segment)) return segment
    const name = toParameter(request.segments[index - 1], names)
    names.add(name)
    return `{${name}}`
  })
  return `/${segments.join('/')}`
}

// A version (`v1`) is no id. A number, a UUID, `p-17`, an address, or a long word with digits is.
const idPatterns: readonly RegExp[] = [
  /^\d+$/,
  /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i,
  /^[A-Za-z]{1,12}[-_]\d+$/,
  /^(?=.*\d)[0-9a-f]{8,}$/i,
  /^(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9_-]{16,}$/,
  // Text that a route cannot contain literally, such as an escaped space or a letter beyond ASCII.
  /[^A-Za-z0-9._~!$&'()*+,=:-]/,
]

function isId(segment: string): boolean {
  return idPatterns.some((pattern) => pattern.test(segment))
}

/** `/patients/42` gets `patientId`; names are unique within a route. */
function toParameter(before: string | undefined, taken: ReadonlySet<string>): string {
  const word = /^[a-z][a-z0-9]*(?=s$)|^[a-z][a-z0-9]*$/i.exec(before ?? '')?.[0]
  const name = word === undefined || isId(word) ? 'id' : `${word}Id`
  for (let number = 2; ; number++) {
    const candidate = number === 2 ? name : `${name}${number - 1}`
    if (!taken.has(candidate)) return candidate
  }
}

/** True if a catalog cannot have both routes, because some server reads them as one. */
function isRival(a: Route, b: Route): boolean {
  const [one, other] = [foldRoute(a, false), foldRoute(b, false)]
  return overlaps(one, other) && covers(one, other) === covers(other, one)
}

function pathOf({ match }: RouteDraft): string {
  return match.slice(match.indexOf(' '))
}
