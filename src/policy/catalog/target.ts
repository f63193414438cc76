import { toFlatString } from '../../base/cache/flat-string.ts'
import { toCanonicalAddress } from '../../base/http/address.ts'
import { createQueryReader } from '../../base/http/query-parameter.ts'
import type { Caller, PeerSource } from '../../base/model/caller.ts'
import { type CheckInput, isConnection, singleHeader } from '../../base/model/check-input.ts'
import { type Deny, deny, isDeny } from '../../base/model/decision.ts'
import type { EntityUid } from '../../base/model/entity-uid.ts'
import type { Param, Target } from '../../base/model/target.ts'
import { type Catalog, type CatalogService, serviceAt } from './catalog.ts'
import { parseRequestPath, pathOf } from './path.ts'
import { toResource } from './resource-template.ts'
import { methods } from './route.ts'
import { takeRoute } from './routing.ts'

/**
 * The parts of a request that determine its target. `isUpgrade` if one check would cover a long stream. The method is
 * empty for a connection without HTTP.
 */
export type Request = { readonly method: string; readonly path: string; readonly isUpgrade: boolean }

/** The parts of an input that determine the service. */
type Asked = Pick<CheckInput, 'destinationAddress' | 'metadata'>

/**
 * Finds the service by the destination of the request, never by `Host`: the waypoint routes by VIP, and the client
 * chooses `Host`.
 */
export function findService(input: Asked, peer: PeerSource, catalog: Catalog): CatalogService | Deny {
  return peer === 'metadata' ? byMetadata(input, catalog) : byAddress(input, catalog)
}

/** Checks that the vouching proxy is the waypoint of the service. */
export function checkWaypoint({ waypoint }: Caller, service: CatalogService): Deny | undefined {
  if (waypoint.uri === service.waypoint.uri) return undefined
  return deny(
    'waypoint_unknown',
    `\`${waypoint.uri}\` vouches, but \`${service.name}\` stands behind \`${service.waypoint.uri}\``,
  )
}

/** Returns the parts of an input that `targetOf` reads. */
export function toRequest({ method, path, headers }: CheckInput): Request {
  return { method, path, isUpgrade: headers.has('upgrade') || headers.has(':protocol') }
}

/** Returns the target of a request or connection to a service. */
export function targetOf(service: CatalogService, request: Request): Target | Deny {
  if (isConnection(request)) return connectionTo(service)
  // INVARIANT: an HTTP request is never judged as a connection, whose caller needs no chain.
  if (service.isTcp)
    return deny('route_unknown', `\`${service.name}\` takes no HTTP: its catalog entry says \`tcp: true\``)
  return requestTo(service, request)
}

function requestTo(service: CatalogService, { method: sent, path, isUpgrade }: Request): Target | Deny {
  // The constant and not the request's own string, because many targets are cached.
  const method = methods.find((known) => known === sent)
  if (method === undefined) {
    return deny('request_malformed', `method: expected one of ${methods.join(', ')}, found \`${sent}\``)
  }
  if (overridesMethod(path)) {
    const reason = 'query: found a parameter that some frameworks take for the method, such as `_method`'
    return deny('path_ambiguous', reason)
  }
  const request = service.hasRawPaths
    ? { path: toFlatString(pathOf(path)), segments: [] }
    : parseRequestPath(path)
  if (isDeny(request)) return request
  const { path: asked } = request
  if (service.routes === undefined) {
    if (isUpgrade) return deny('route_unknown', `\`${service.name}\` has no route that says \`stream: true\``)
    const action = { type: 'Action', id: method }
    const resource = { type: 'Service', id: service.name }
    return { service, action, resource, params: none, requiredScope: undefined, method, path: asked }
  }
  const match = takeRoute(service, service.routes, method, request)
  if (isDeny(match)) return match
  const { route, params } = match
  if (request.segments.length > 1 && request.segments.at(-1) === '' && !route.route.text.endsWith('/')) {
    return deny('path_ambiguous', 'path: found a trailing `/`, which many servers take for none')
  }
  if (isUpgrade && !route.isStream)
    return deny('route_unknown', `route \`${route.route.text}\` does not say \`stream: true\``)
  const resource =
    route.resource === undefined ? { type: 'Service', id: service.name } : toResource(route.resource, params)
  // Written out, because V8 gives an object that starts as a spread its own hidden class, and many targets are cached.
  const { action, requiredScope } = route
  return { service, action, resource, params, requiredScope, method, path: asked }
}

/** The request of a check about a whole connection. */
export const connectionRequest: Request = { method: '', path: '', isUpgrade: false }

/** The one action of a service that accepts connections. */
export const connect: EntityUid = { type: 'Action', id: 'connect' }

/** Returns the target of a connection: `connect` on the service, if its catalog entry says `tcp: true`. */
function connectionTo(service: CatalogService): Target | Deny {
  if (!service.isTcp) {
    return deny(
      'route_unknown',
      `a connection without HTTP, and \`${service.name}\` takes HTTP only: its catalog entry does not say \`tcp: true\``,
    )
  }
  const resource = { type: 'Service', id: service.name }
  return { service, action: connect, resource, params: none, requiredScope: undefined, method: '', path: '' }
}

const none: readonly Param[] = []

/** Laravel, Symfony and WordPress read the first; ASP.NET reads the second. */
const methodsIn = createQueryReader(['_method', 'x-http-method-override'])

/** True if a query parameter overrides the request's method in some framework. */
export function overridesMethod(target: string): boolean {
  return methodsIn(target).length > 0
}

function byAddress({ destinationAddress }: Asked, catalog: Catalog): CatalogService | Deny {
  const service = serviceAt(catalog, destinationAddress)
  return service ?? deny('service_unknown', `no service has the address \`${destinationAddress}\``)
}

/** Envoy's own routing decision names the service. The address may only confirm it. */
function byMetadata(input: Asked, catalog: Catalog): CatalogService | Deny {
  const address = input.destinationAddress
  const chain = singleHeader(input.metadata, 'x-waypoint-service')
  if (chain === undefined || chain === 'repeated') {
    return deny('service_unknown', 'expected exactly one `x-waypoint-service` in the call metadata')
  }
  const name = toAddress(chain.value)
  const service = name === undefined ? undefined : serviceAt(catalog, name)
  if (service === undefined)
    return deny('service_unknown', `no service has the filter chain \`${chain.value}\``)
  const authority = singleHeader(input.metadata, 'x-waypoint-authority')
  if (authority === 'repeated')
    return deny('service_unknown', 'the call metadata repeat `x-waypoint-authority`')
  const isSame = authority === undefined || authority.value === address
  const asked = isSame ? address : toCanonicalAddress(authority.value)
  if (address !== '' && asked !== address)
    return deny('service_unknown', `the authority \`${asked}\` is not the destination \`${address}\``)
  const owner = serviceAt(catalog, asked)
  if (owner !== undefined && owner !== service) {
    return deny(
      'service_unknown',
      `the filter chain names \`${service.name}\`, the address belongs to \`${owner.name}\``,
    )
  }
  return service
}

/** istiod names a service's filter chain `inbound-vip|<port>|<protocol>|<FQDN>`. Other chains lead to no service. */
function toAddress(filterChainName: string): string | undefined {
  const [direction, port, , host, ...more] = filterChainName.split('|')
  return direction === 'inbound-vip' && host !== undefined && host !== '' && more.length === 0
    ? `${host}:${port}`
    : undefined
}
