import { parse } from 'yaml'
import { at, items, type Json, type KubeObject } from './rendered.ts'

/** A whole installation: what a renderer prints, and the fragment of the mesh configuration. */
export type Installation = { readonly objects: readonly KubeObject[]; readonly meshConfig: Json }

const annotation = 'ambient.istio.io/xfcc-include-client-identity'

/** Finds ways to pass the mesh without a check, or to pose as a waypoint; empty if there is none. */
export function findMeshFaults({ objects, meshConfig }: Installation): readonly string[] {
  const catalog = readCatalog(objects)
  const provider = items(at(meshConfig, 'meshConfig', 'extensionProviders')).find(
    (item) => at(item, 'name') === 'waywarden',
  )
  return [
    ...providerFaults(objects, provider),
    ...catalog.waypoints.flatMap((id) => waypointFaults(objects, id)),
    ...portFaults(objects, catalog.waypoints),
    ...(settingOf(objects, 'WAYWARDEN__OBSERVE__UNTIL') === undefined
      ? catalog.namespaces.flatMap((namespace) => bypassFaults(objects, namespace, catalog.waypoints))
      : []),
  ]
}

/** A variable of the settings ConfigMap. */
export function settingOf(objects: readonly KubeObject[], name: string): Json {
  return at(find(objects, 'ConfigMap', 'waywarden', 'waywarden-settings'), 'data', name)
}

/** The object of that kind, namespace and name. */
export function find(
  objects: readonly KubeObject[],
  kind: string,
  namespace: string,
  name: string,
): KubeObject | undefined {
  return objects.find(
    (object) =>
      object['kind'] === kind &&
      at(object, 'metadata', 'name') === name &&
      (at(object, 'metadata', 'namespace') ?? '') === namespace,
  )
}

/** The owner of Waywarden's pods: a Deployment, or the StatefulSet that a component makes of it. */
export function findWorkload(objects: readonly KubeObject[]): KubeObject | undefined {
  return (
    find(objects, 'Deployment', 'waywarden', 'waywarden') ??
    find(objects, 'StatefulSet', 'waywarden', 'waywarden')
  )
}

type SpiffeParts = { readonly trustDomain: string; readonly namespace: string; readonly account: string }

function readCatalog(objects: readonly KubeObject[]): {
  readonly namespaces: readonly string[]
  readonly waypoints: readonly SpiffeParts[]
} {
  const policies = find(objects, 'ConfigMap', 'waywarden', 'waywarden-policies')
  const services = items(at(parse(String(at(policies, 'data', 'services.yaml'))) as Json, 'services'))
  const waypoints = new Set(services.map((service) => String(at(service, 'waypoint'))))
  const namespaces = services.map((service) => toParts(String(at(service, 'spiffeId'))).namespace)
  return { namespaces: [...new Set(namespaces)], waypoints: [...waypoints].map(toParts) }
}

function toParts(uri: string): SpiffeParts {
  const [, , trustDomain = '', , namespace = '', , account = ''] = uri.split('/')
  return { trustDomain, namespace, account }
}

function principalOf({ trustDomain, namespace, account }: SpiffeParts): string {
  return `${trustDomain}/ns/${namespace}/sa/${account}`
}

function providerFaults(objects: readonly KubeObject[], provider: Json): readonly string[] {
  const grpc = at(provider, 'envoyExtAuthzGrpc')
  if (grpc === undefined) return ['provider_missing']
  const [name = '', namespace = ''] = String(at(grpc, 'service')).split('.')
  const service = find(objects, 'Service', namespace, name)
  const port = items(at(service, 'spec', 'ports')).find((item) => at(item, 'port') === at(grpc, 'port'))
  const timeout = /^(\d+)ms$/.exec(String(at(grpc, 'timeout')))
  return [
    ...(port === undefined ? ['provider_elsewhere'] : []),
    // istiod makes an HTTP/2 cluster only of a port that says so.
    ...(port !== undefined && at(port, 'appProtocol') !== 'grpc' ? ['provider_not_grpc'] : []),
    ...(at(service, 'spec', 'clusterIP') === 'None' ? ['service_headless'] : []),
    ...(at(grpc, 'failOpen') === false ? [] : ['fail_open']),
    ...(timeout !== null && Number(timeout[1]) <= 500 ? [] : ['timeout_long']),
    ...(at(grpc, 'statusOnError') === '403' ? [] : ['status_on_error']),
  ]
}

function waypointFaults(
  objects: readonly KubeObject[],
  { namespace, account }: SpiffeParts,
): readonly string[] {
  const gateway = find(objects, 'Gateway', namespace, account)
  if (gateway === undefined) return ['waypoint_missing']
  const { metadata, spec } = gateway
  // Annotations of the infrastructure replace those of the Gateway, even when they say nothing of this one.
  const annotations = at(spec, 'infrastructure', 'annotations') ?? at(metadata, 'annotations')
  const listener = items(at(spec, 'listeners')).find((item) => at(item, 'protocol') === 'HBONE')
  const isMetadata = settingOf(objects, 'WAYWARDEN__LISTENERS__0__PEER') === 'metadata'
  return [
    ...(at(spec, 'gatewayClassName') === 'istio-waypoint' ? [] : ['waypoint_class']),
    ...(at(listener, 'port') === 15008 ? [] : ['waypoint_port']),
    ...(at(listener, 'allowedRoutes', 'namespaces', 'from') === 'All' ? [] : ['waypoint_one_namespace']),
    ...(at(metadata, 'labels', 'istio.io/waypoint-for') === 'service' ? [] : ['waypoint_for']),
    ...(at(annotations, annotation) === 'true' ? [] : ['annotation_missing']),
    ...(isAsking(objects, namespace, account) ? [] : ['policy_not_attached']),
    ...(isMetadata && !isFiltered(objects, namespace, account) ? ['filter_missing'] : []),
  ]
}

function isAsking(objects: readonly KubeObject[], namespace: string, gateway: string): boolean {
  return inNamespace(objects, 'AuthorizationPolicy', namespace).some(
    (policy) =>
      at(policy, 'spec', 'action') === 'CUSTOM' &&
      at(policy, 'spec', 'provider', 'name') === 'waywarden' &&
      isAttached(policy, gateway) &&
      // `{}` is every request; no rule is none.
      items(at(policy, 'spec', 'rules')).some((rule) => JSON.stringify(rule) === '{}'),
  )
}

function isFiltered(objects: readonly KubeObject[], namespace: string, gateway: string): boolean {
  const values: ReadonlyMap<string, string> = new Map([
    ['x-waypoint-peer-principal', '%FILTER_STATE(io.istio.peer_principal:PLAIN)%'],
    ['x-waypoint-local-principal', '%FILTER_STATE(io.istio.local_principal:PLAIN)%'],
    ['x-waypoint-authority', '%FILTER_STATE(io.istio.connect_authority:PLAIN)%'],
    ['x-waypoint-service', '%FILTER_CHAIN_NAME%'],
  ])
  return inNamespace(objects, 'EnvoyFilter', namespace).some((filter) => {
    const config = at(filter, 'spec', 'configPatches', 0, 'patch', 'value', 'typed_config')
    const sent = items(at(config, 'grpc_service', 'initial_metadata'))
    const isComplete = [...values].every(([key, value]) =>
      sent.some((item) => at(item, 'key') === key && at(item, 'value') === value),
    )
    return isAttached(filter, gateway) && isComplete
  })
}

function isAttached(object: KubeObject, gateway: string): boolean {
  return items(at(object, 'spec', 'targetRefs')).some(
    (target) => at(target, 'kind') === 'Gateway' && at(target, 'name') === gateway,
  )
}

function portFaults(objects: readonly KubeObject[], waypoints: readonly SpiffeParts[]): readonly string[] {
  const namespace = find(objects, 'Namespace', '', 'waywarden')
  const policy = find(objects, 'AuthorizationPolicy', 'waywarden', 'waywarden')
  const network = find(objects, 'NetworkPolicy', 'waywarden', 'waywarden')
  const callers = waypoints.map(principalOf)
  const rules = items(at(policy, 'spec', 'rules')).filter(reachesUs)
  const isClosed =
    at(policy, 'spec', 'action') === 'ALLOW' && rules.every((rule) => isOnlyFrom(rule, callers, true))
  return [
    ...(at(namespace, 'metadata', 'labels', 'istio.io/dataplane-mode') === 'ambient' ? [] : ['not_in_mesh']),
    ...(isClosed && rules.length > 0 ? [] : ['port_open']),
    ...(isStrict(find(objects, 'PeerAuthentication', 'waywarden', 'waywarden')) ? [] : ['port_plaintext']),
    ...(at(network, 'spec', 'policyTypes', 0) === 'Ingress' && !opensOurPort(network)
      ? []
      : ['network_open']),
  ]
}

/** A rule without ports, or whose operations name ours. */
function reachesUs(rule: Json): boolean {
  const ports = items(at(rule, 'to')).map((to) => at(to, 'operation', 'ports'))
  return ports.length === 0 || ports.some((list) => list === undefined || items(list).includes('9191'))
}

/** Whether exactly these may use the rule; a source without principals is anybody. */
function isOnlyFrom(rule: Json, callers: readonly string[], areAllNeeded: boolean): boolean {
  const sources = items(at(rule, 'from')).map((from) => items(at(from, 'source', 'principals')))
  const named = sources.flat()
  return (
    sources.length > 0 &&
    sources.every((principals) => principals.length > 0) &&
    named.every((principal) => callers.includes(String(principal))) &&
    (!areAllNeeded || callers.every((caller) => named.includes(caller)))
  )
}

function isStrict(authentication: KubeObject | undefined): boolean {
  const ours = at(authentication, 'spec', 'portLevelMtls', '9191', 'mode') ?? 'STRICT'
  return at(authentication, 'spec', 'mtls', 'mode') === 'STRICT' && ours === 'STRICT'
}

function opensOurPort(network: KubeObject | undefined): boolean {
  return items(at(network, 'spec', 'ingress')).some((rule) => {
    const ports = items(at(rule, 'ports'))
    return ports.length === 0 || ports.some((port) => ![15008, 9192].includes(Number(at(port, 'port'))))
  })
}

function bypassFaults(
  objects: readonly KubeObject[],
  namespace: string,
  waypoints: readonly SpiffeParts[],
): readonly string[] {
  const callers = waypoints.map(principalOf)
  const guards = inNamespace(objects, 'AuthorizationPolicy', namespace).filter(
    ({ spec }) => at(spec, 'action') === 'ALLOW' && at(spec, 'selector') === undefined,
  )
  const rules = guards.flatMap((guard) => items(at(guard, 'spec', 'rules')))
  const isClosed = rules.length > 0 && rules.every((rule) => isOnlyFrom(rule, callers, false))
  const isEncrypted = inNamespace(objects, 'PeerAuthentication', namespace).some(
    (authentication) => at(authentication, 'spec', 'selector') === undefined && isStrict(authentication),
  )
  return [...(isClosed ? [] : ['bypass_open']), ...(isEncrypted ? [] : ['bypass_plaintext'])]
}

function inNamespace(objects: readonly KubeObject[], kind: string, namespace: string): readonly KubeObject[] {
  return objects.filter(
    (object) => object['kind'] === kind && at(object, 'metadata', 'namespace') === namespace,
  )
}
