import type { DecisionRecord } from '../audit/format/record.ts'
import { parseAddress, toCanonicalAddress } from '../base/http/address.ts'
import { isConnection } from '../base/model/check-input.ts'
import { isInvalid } from '../base/model/invalid.ts'
import { parseSpiffeId } from '../base/model/spiffe-id.ts'
import { createRouteSketch, type RouteSketch } from './draft-route.ts'
import { quote, type RouteDraft, type ServiceDraft } from './service-draft.ts'
import { createTally, type Sightings, sighted } from './tally.ts'

/** A destination that no service of the catalog claims, with a draft of its entry. */
export type UnknownService = {
  /** The destination of the requests, or `Host` if Envoy gave no address. */
  readonly address: string
  readonly calls: Sightings
  readonly draft: ServiceDraft
}

/** Requests to a known service that match none of its routes. */
export type UnknownRoutes = {
  readonly address: string
  readonly calls: Sightings
  readonly routes: readonly RouteDraft[]
}

/** Collects services and routes that the catalog lacks. */
export type ServiceDrafts = {
  readonly add: (record: DecisionRecord) => void
  /** `taken`: names of services in the catalog. */
  readonly services: (taken: ReadonlySet<string>) => readonly UnknownService[]
  readonly routes: () => readonly UnknownRoutes[]
  readonly cut: () => number
}

type Sketch = {
  readonly address: string
  readonly calls: Sightings
  readonly hosts: Map<string, number>
  readonly waypoints: Map<string, number>
  readonly ingress: Map<string, number>
  readonly routes: RouteSketch
  /** How many of the calls were connections without HTTP. */
  readonly connections: number
}

const maxAddresses = 500
const maxHosts = 20

/** Starts empty. */
export function createServiceDrafts(): ServiceDrafts {
  const services = createTally<Sketch>(maxAddresses)
  const routes = createTally<Sketch>(maxAddresses)
  return {
    add(record) {
      const address = addressOf(record)
      if (address === '') return
      if (record.code === 'service_unknown')
        services.update([address], (now) => toSketch(now, address, record))
      // A connection takes no route; a service that is meant to take it says `tcp: true`.
      const isRequest = record.request !== undefined && !isConnection(record.request)
      if (record.code === 'route_unknown' && isRequest)
        routes.update([address], (now) => toSketch(now, address, record))
    },
    services(taken) {
      const names = new Set(taken)
      return byCount(services.values()).map((sketch) => {
        const name = toName(sketch, names)
        names.add(name)
        return { address: sketch.address, calls: sketch.calls, draft: toDraft(sketch, name) }
      })
    },
    routes: () =>
      byCount(routes.values()).map(({ address, calls, routes: sketch }) => {
        return { address, calls, routes: sketch.result().routes }
      }),
    cut: () => services.cut() + routes.cut(),
  }
}

/** Returns the destination of the request. `Host` is only a fallback, because the client chooses it. */
export function addressOf({ request }: DecisionRecord): string {
  const address = request?.destinationAddress ?? ''
  return address === '' ? (request?.host.toLowerCase() ?? '') : toCanonicalAddress(address)
}

function toSketch(before: Sketch | undefined, address: string, record: DecisionRecord): Sketch {
  const calls = sighted(before?.calls, record)
  const { request, caller } = record
  const isTcp = request !== undefined && isConnection(request)
  const known = before ?? emptySketch(address, calls)
  const sketch = { ...known, calls, connections: known.connections + (isTcp ? 1 : 0) }
  if (request !== undefined && !isTcp) {
    count(sketch.hosts, request.host)
    sketch.routes.add(request.method, request.path)
  }
  if (caller !== undefined) count(sketch.waypoints, caller.waypoint)
  if (caller?.isIngress === true) count(sketch.ingress, caller.id)
  return sketch
}

function emptySketch(address: string, calls: Sightings): Sketch {
  const [hosts, waypoints, ingress] = [new Map(), new Map(), new Map()]
  return { address, calls, hosts, waypoints, ingress, routes: createRouteSketch(), connections: 0 }
}

function count(counts: Map<string, number>, key: string): void {
  if (counts.has(key) || counts.size < maxHosts) counts.set(key, (counts.get(key) ?? 0) + 1)
}

function toDraft(sketch: Sketch, name: string): ServiceDraft {
  const { routes, leftOut } = sketch.routes.result()
  const hosts = mostFirst(sketch.hosts)
  const [waypoint, ...otherWaypoints] = mostFirst(sketch.waypoints)
  const proxy = waypoint === undefined ? undefined : parseSpiffeId(waypoint)
  const trustDomain = proxy === undefined || isInvalid(proxy) ? 'replace.example' : proxy.trustDomain
  const ingress = mostFirst(sketch.ingress)
  const isAddress = !isInvalid(parseAddress(sketch.address))
  return {
    name: { value: name, note: nameNote(name, hosts) },
    addresses: [isAddress ? sketch.address : 'replace.invalid:80'],
    spiffeId: {
      value: `spiffe://${trustDomain}/ns/${namespaceIn(hosts) ?? 'REPLACE'}/sa/REPLACE-${name}`,
      note: 'the service account of its pods',
    },
    waypoint:
      waypoint === undefined || proxy === undefined || isInvalid(proxy)
        ? {
            value: `spiffe://${trustDomain}/ns/REPLACE/sa/REPLACE-waypoint`,
            note: 'the proxy in front of it',
          }
        : { value: waypoint, note: waypointNote(otherWaypoints) },
    entry: {
      value: ingress.length > 0,
      note:
        ingress.length > 0 ? `${ingress.map(quote).join(', ')} brings users here` : 'no user came by ingress',
    },
    forwards: { value: false, note: 'true if it calls other services' },
    isTcp: sketch.connections === sketch.calls.count,
    routes,
    notes: [
      ...countNotes(sketch, hosts),
      ...(isAddress ? [] : [`no address was seen; Envoy told ${quote(sketch.address)}`]),
      ...(leftOut === 0 ? [] : [`left out of the routes: ${leftOut}`]),
    ],
  }
}

function countNotes({ calls, connections }: Sketch, hosts: readonly string[]): readonly string[] {
  const times = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`
  const requests = calls.count - connections
  return [
    ...(requests === 0 ? [] : [`${times(requests, 'request')}, Host ${hosts.map(quote).join(', ')}`]),
    ...(connections === 0 ? [] : [`${times(connections, 'connection')} without HTTP`]),
  ]
}

function nameNote(name: string, hosts: readonly string[]): string {
  const isGuess = hosts.some((host) => host.toLowerCase().startsWith(name))
  return isGuess ? 'guessed from `Host`, which the client chooses' : 'give it a name'
}

function waypointNote(others: readonly string[]): string {
  return others.length === 0 ? 'seen' : `seen, and also ${others.map(quote).join(', ')}`
}

/** Returns an unused name in the catalog's grammar. */
function toName({ address, hosts }: Sketch, taken: ReadonlySet<string>): string {
  const [host = ''] = mostFirst(hosts)
  const [label = ''] = host.toLowerCase().split(/[.:]/)
  const port = /:(\d+)$/.exec(address)?.[1] ?? ''
  const plain = /^[a-z](?:[a-z0-9-]*[a-z0-9])?$/.test(label)
    ? label.slice(0, 63)
    : `service-${address.toLowerCase().replace(/[^a-z0-9]+/g, '-')}`.slice(0, 63).replace(/-+$/, '')
  const candidates = [plain, `${plain}-${port}`]
  for (let number = 2; ; number++) {
    const free = candidates.find((candidate) => !taken.has(candidate) && !candidate.endsWith('-'))
    if (free !== undefined) return free
    candidates.push(`${plain}-${port}-${number}`.replace('--', '-'))
  }
}

/** Returns the namespace of a Kubernetes service name, such as `records.hospital.svc.cluster.local`. */
function namespaceIn(hosts: readonly string[]): string | undefined {
  return hosts
    .map((host) => /^[a-z0-9-]+\.([a-z0-9-]+)\.svc(?:[.:]|$)/.exec(host)?.[1])
    .find((found) => found)
}

function mostFirst(counts: ReadonlyMap<string, number>): readonly string[] {
  return [...counts].sort((a, b) => b[1] - a[1]).map(([key]) => key)
}

function byCount<T extends { readonly calls: Sightings }>(values: readonly T[]): readonly T[] {
  return values.toSorted((a, b) => b.calls.count - a.calls.count)
}
