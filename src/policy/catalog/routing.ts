import { type Deny, deny } from '../../base/model/decision.ts'
import type { Param } from '../../base/model/target.ts'
import type { CatalogRoute, CatalogService } from './catalog.ts'
import { foldSegments, isFolded } from './folded-path.ts'
import type { RequestPath } from './path.ts'
import { covers, matchRoute, type Route } from './route.ts'

/** The matching route of a request, and the values of its `{placeholders}`. */
export type Match = {
  readonly kind: 'match'
  readonly route: CatalogRoute
  readonly params: readonly Param[]
}

/**
 * Finds the one route of a request, for every server, including those that fold case or trim segments. A path that
 * matches another route there is refused, because it would bypass the policies for that route.
 */
export function takeRoute(
  service: CatalogService,
  routes: readonly CatalogRoute[],
  method: string,
  { path, segments }: RequestPath,
): Match | Deny {
  const match = findRoute(routes, method, segments, asWritten)
  if (!isFolded(path) || routes.some(({ route, folded }) => route !== folded)) {
    const folded = foldSegments(segments, service.isCaseSensitive)
    if (folded === undefined)
      return ambiguous('found a segment that many servers drop, or text that some decode once more')
    const other = findRoute(routes, method, folded, asFolded)
    if (other?.route !== match?.route)
      return ambiguous(
        `\`${path}\` takes ${toText(match)}, but ${toText(other)} at a server that folds case or trims segments`,
      )
  }
  return match ?? deny('route_unknown', `\`${service.name}\` has no route for \`${method} ${path}\``)
}

type RouteOf = (route: CatalogRoute) => Route
const asWritten: RouteOf = ({ route }) => route
const asFolded: RouteOf = ({ folded }) => folded

/** Many servers answer HEAD like GET, so HEAD must not bypass a narrower route for GET. */
function findRoute(
  routes: readonly CatalogRoute[],
  method: string,
  segments: readonly string[],
  routeOf: RouteOf,
): Match | undefined {
  const match = narrowest(routes, method, segments, routeOf)
  const asGet = method === 'HEAD' ? narrowest(routes, 'GET', segments, routeOf) : undefined
  if (match === undefined || asGet === undefined) return match ?? asGet
  return match.route.route.method === '*' ? asGet : match
}

/** INVARIANT: routes that match the same request are nested, as written and folded. Loading ensures it. */
function narrowest(
  routes: readonly CatalogRoute[],
  method: string,
  segments: readonly string[],
  routeOf: RouteOf,
): Match | undefined {
  let best: Match | undefined
  for (const route of routes) {
    const params = matchRoute(routeOf(route), method, segments)
    if (params !== undefined && (best === undefined || covers(routeOf(best.route), routeOf(route))))
      best = { kind: 'match', route, params }
  }
  return best
}

function ambiguous(reason: string): Deny {
  return deny('path_ambiguous', `path: ${reason}`)
}

function toText(match: Match | undefined): string {
  return match === undefined ? 'no route' : `\`${match.route.route.text}\``
}
