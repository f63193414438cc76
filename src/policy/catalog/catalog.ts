import { groupBy } from '../../base/collections/group-by.ts'
import type { Problem } from '../../base/document/problem.ts'
import { toCanonicalAddress } from '../../base/http/address.ts'
import type { EntityUid } from '../../base/model/entity-uid.ts'
import { isProblems, type Problems } from '../../base/model/problems.ts'
import type { Service } from '../../base/model/target.ts'
import type { ResourceTemplate } from './resource-template.ts'
import { covers, foldRoute, overlaps, type Route } from './route.ts'
import { parseServices, type RouteEntry, type ServiceEntry, type WrittenAddress } from './services-schema.ts'

/** One route of a service: the requests that it matches, and their meaning. */
export type CatalogRoute = {
  readonly route: Route
  /** The route as read by a server that folds letters or trims segments; the same object if folding changes nothing. */
  readonly folded: Route
  readonly action: EntityUid
  /** The resource of the request; `undefined` means the service itself. */
  readonly resource: ResourceTemplate | undefined
  readonly requiredScope: string | undefined
  /** True if one check may cover a whole upgraded connection. */
  readonly isStream: boolean
  readonly line: number
}

/** A service with its addresses and routes. */
export type CatalogService = Service & {
  readonly owner: string | undefined
  /** An IP is the service's VIP; a name is the mesh's own name of the service. */
  readonly addresses: readonly WrittenAddress[]
  /** `undefined`: the action is the HTTP method, the resource the service. Empty: the service takes no HTTP request. */
  readonly routes: readonly CatalogRoute[] | undefined
  /** Accepts connections without HTTP, and no HTTP request. Its one action is `connect`. */
  readonly isTcp: boolean
  /** Accepts paths that two parsers could read differently; only without routes. */
  readonly hasRawPaths: boolean
  /** Distinguishes `/Admin` from `/admin`, so that its routes may do so too. */
  readonly isCaseSensitive: boolean
  /** Why it may share its SPIFFE ID with another service. */
  readonly shared: string | undefined
  readonly line: number
}

/** The services of the mesh: services.yaml, parsed. */
export type Catalog = {
  readonly services: readonly CatalogService[]
  readonly byName: ReadonlyMap<string, CatalogService>
  /** By the canonical form of an address. */
  readonly byAddress: ReadonlyMap<string, CatalogService>
  /** URIs of all proxies that vouch for callers. */
  readonly waypoints: ReadonlySet<string>
}

const file = 'services.yaml'
const defaultHopLifetimeMs = 300_000

/** Parses services.yaml and checks its entries against each other. Reports every problem at once. */
export function parseCatalog(
  text: string,
  hopLifetimeMs: number = defaultHopLifetimeMs,
): Catalog | Problems<Problem> {
  const parsed = parseServices(file, text)
  if (isProblems(parsed)) return parsed
  const services = parsed.value.services.map((entry, index) =>
    toService(entry, hopLifetimeMs, (path) => parsed.lineOf(['services', index, ...path])),
  )
  const problems = [
    ...services.flatMap(problemsWithin),
    ...parsed.value.services.flatMap((entry, index) =>
      senselessForTcp(entry, parsed.lineOf(['services', index])),
    ),
    ...problemsBetween(services),
  ]
  return problems.length > 0 ? { kind: 'problems', problems } : toCatalog(services)
}

/** Builds a catalog of valid services. */
export function toCatalog(services: readonly CatalogService[]): Catalog {
  return {
    services,
    byName: new Map(services.map((service) => [service.name, service])),
    byAddress: new Map(services.flatMap((service) => service.addresses.map(({ text }) => [text, service]))),
    waypoints: new Set(services.map((service) => service.waypoint.uri)),
  }
}

/** Finds a service by an address in any spelling. Nearly all addresses are in canonical form already. */
export function serviceAt(
  { byAddress }: Pick<Catalog, 'byAddress'>,
  address: string,
): CatalogService | undefined {
  return byAddress.get(address) ?? byAddress.get(toCanonicalAddress(address))
}

function toService(
  entry: ServiceEntry,
  hopLifetimeMs: number,
  lineOf: (path: readonly (string | number)[]) => number,
): CatalogService {
  const { caseSensitive, removeHeaders } = entry
  const routes = entry.routes?.map((route, index) => toRoute(route, caseSensitive, lineOf(['routes', index])))
  return {
    name: entry.name,
    owner: entry.owner,
    addresses: entry.addresses,
    spiffeId: entry.spiffeId,
    waypoint: entry.waypoint,
    chainless: entry.chainless,
    isEntry: entry.entry !== false,
    keepsUserToken: entry.entry !== false && entry.entry !== true && entry.entry.forwardAuthorization,
    forwards: entry.forwards,
    scopes: entry.scopes,
    hopLifetimeSeconds: Math.floor((entry.hopLifetime ?? hopLifetimeMs) / 1000),
    shared: entry.shared,
    isTcp: entry.tcp,
    hasRawPaths: entry.rawPaths,
    isCaseSensitive: caseSensitive,
    removeHeaders: removeHeaders.length === 0 ? none : removeHeaders,
    routes: entry.tcp ? noRoutes : routes,
    line: lineOf([]),
  }
}

/** One shared list for all services without one, because lists of headers are cached by identity. */
const none: readonly string[] = []

/** INVARIANT: a service that accepts connections has no routes, so that no HTTP request matches one. */
const noRoutes: readonly CatalogRoute[] = []

function toRoute(entry: RouteEntry, isCaseSensitive: boolean, line: number): CatalogRoute {
  return {
    route: entry.match,
    folded: foldRoute(entry.match, isCaseSensitive),
    action: { type: 'Action', id: entry.action },
    resource: entry.resource,
    requiredScope: entry.scope,
    isStream: entry.stream,
    line,
  }
}

function problemsWithin(service: CatalogService): readonly Problem[] {
  const problems: Problem[] = []
  const say = (line: number, message: string) =>
    problems.push({ file, line, message: `service \`${service.name}\`: ${message}` })
  if (service.hasRawPaths && service.routes !== undefined) {
    say(
      service.line,
      '`rawPaths` goes without `routes`: a path that two parsers read differently matches no template safely',
    )
  }
  const { spiffeId, waypoint } = service
  // INVARIANT: a waypoint that may vouch belongs to the configured trust domain. So no chain is minted for another one.
  if (!isOfItsWaypoint(service)) {
    say(
      service.line,
      `its SPIFFE ID is of the trust domain \`${spiffeId.trustDomain}\` and its waypoint of \`${waypoint.trustDomain}\`; a chain is minted for this service, so both must be of your mesh`,
    )
  }
  for (const [index, a] of (service.routes ?? []).entries()) {
    const { id } = a.resource ?? {}
    if (id?.kind === 'parameter' && !a.route.parameters.includes(id.text)) {
      say(
        a.line,
        `route \`${a.route.text}\` has no parameter \`{${id.text}}\` for its resource \`${a.resource?.text}\``,
      )
    }
    for (const b of service.routes?.slice(index + 1) ?? []) {
      const both = `routes \`${a.route.text}\` and \`${b.route.text}\` take the same requests`
      if (areRivals(a.route, b.route)) say(b.line, `${both}; make one strictly narrower`)
      else if (areRivals(a.folded, b.folded)) {
        const remedy = service.isCaseSensitive
          ? 'write no dots at the end of a segment'
          : 'make one strictly narrower, or set `caseSensitive: true` if the service distinguishes case'
        say(b.line, `${both} for a server that folds case or trims segments; ${remedy}`)
      }
    }
  }
  return problems
}

/** Refuses keys about requests and chains, which would seem to protect a connection and do not. */
function senselessForTcp(entry: ServiceEntry, line: number): readonly Problem[] {
  if (!entry.tcp) return []
  const {
    routes,
    rawPaths,
    caseSensitive,
    removeHeaders,
    entry: isEntry,
    forwards,
    scopes,
    hopLifetime,
  } = entry
  const given = {
    routes: routes !== undefined,
    rawPaths,
    caseSensitive,
    removeHeaders: removeHeaders.length > 0,
    entry: isEntry !== false,
    forwards,
    scopes: scopes !== undefined,
    hopLifetime: hopLifetime !== undefined,
  }
  const senseless = Object.entries(given).flatMap(([key, isGiven]) => (isGiven ? [key] : []))
  return senseless.map((key) => ({
    file,
    line,
    message: `service \`${entry.name}\`: \`tcp\` goes without \`${key}\`: a connection has neither request nor chain`,
  }))
}

/** True if some request matches both routes and neither is the narrower one. */
function areRivals(a: Route, b: Route): boolean {
  return overlaps(a, b) && covers(a, b) === covers(b, a)
}

function problemsBetween(services: readonly CatalogService[]): readonly Problem[] {
  const problems: Problem[] = []
  const names = new Map<string, CatalogService>()
  const addresses = new Map<string, Claimed>()
  const identities = new Map<string, CatalogService>()
  const waypoints = new Set(services.map((service) => service.waypoint.uri))
  for (const service of services) {
    const say = (message: string) =>
      problems.push({ file, line: service.line, message: `service \`${service.name}\`: ${message}` })
    if (names.has(service.name)) say('another service has this name')
    names.set(service.name, service)
    for (const address of service.addresses) {
      const other = addresses.get(address.text)
      if (other !== undefined) say(toRepetition(address, other, service))
      addresses.set(address.text, { ...address, service })
    }
    const twin = identities.get(service.spiffeId.uri)
    if (twin !== undefined && (service.shared === undefined || twin.shared === undefined)) {
      say(
        `shares its SPIFFE ID with \`${twin.name}\`: two services on one service account are one identity; separate them, or say \`shared: "why"\` on both`,
      )
    }
    identities.set(service.spiffeId.uri, service)
    if (waypoints.has(service.spiffeId.uri)) say('its SPIFFE ID is a waypoint, which never acts for itself')
  }
  return [...problems, ...strangersAmong(services)]
}

function isOfItsWaypoint({ spiffeId, waypoint }: CatalogService): boolean {
  return spiffeId.trustDomain === waypoint.trustDomain
}

/** Finds services of a minority trust domain. The catalog is of one mesh, and a chain is minted for each service. */
function strangersAmong(services: readonly CatalogService[]): readonly Problem[] {
  const byDomain = groupBy(services, ({ spiffeId }) => spiffeId.trustDomain)
  // The sort is stable: of equally frequent domains, the first in the file counts as home.
  const [home, ...others] = [...byDomain].sort(([, one], [, other]) => other.length - one.length)
  if (home === undefined) return []
  return others.flatMap(([domain, strangers]) =>
    // If the waypoint has another domain than the service, that problem is reported instead.
    strangers.filter(isOfItsWaypoint).map(({ name, line }) => ({
      file,
      line,
      message: `service \`${name}\`: its SPIFFE ID is of the trust domain \`${domain}\`, and most services are of \`${home[0]}\`; a chain is minted for each service, so all must be of your mesh`,
    })),
  )
}

type Claimed = WrittenAddress & { readonly service: CatalogService }

function toRepetition({ written }: WrittenAddress, other: Claimed, service: CatalogService): string {
  const spelling = other.written === written ? '' : `, spelled \`${other.written}\``
  return other.service === service
    ? `address \`${written}\` is on its list already${spelling}`
    : `address \`${written}\` belongs to \`${other.service.name}\` already${spelling}`
}
