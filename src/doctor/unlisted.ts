import { protocolOf } from '../authoring/scaffold.ts'
import { groupBy } from '../base/collections/group-by.ts'
import { listFew } from '../base/text/few.ts'
import type { Catalog } from '../policy/catalog/catalog.ts'
import { allowYaml } from './allow.ts'
import { explainOpening, isAmbient } from './cluster/access.ts'
import {
  askingPolicies,
  keyOf,
  locate,
  type ObjectName,
  ownName,
  ownService,
  waypointAccounts,
} from './cluster/guarded.ts'
import { guardedOf, waypointOf } from './cluster/reach.ts'
import type { ClusterView, KubePort, KubeService } from './cluster/view.ts'
import type { DoctorConfig, Finding, Rule } from './finding.ts'
import { attachedPolicies } from './policy.ts'

const gatewayLabel = 'gateway.networking.k8s.io/gateway-name'
/** Ports of databases, queues and caches. Their names seldom tell that they do not speak HTTP. */
const otherPorts: ReadonlySet<number> = new Set([
  1433, 1521, 2379, 4222, 5432, 5672, 6379, 7687, 9042, 9092, 11_211,
])

/** Finds Services that the catalog lacks, in a namespace that is enrolled and guarded. */
export const unlistedRule: Rule = (cluster, config, catalog) => {
  if (catalog === undefined) return []
  const unlisted = unlistedServices(cluster, catalog)
  const waypoints = waypointAccounts(cluster, undefined)
  const trustDomain = trustDomainOf(cluster)
  return [
    ...unlisted.flatMap((service) => cutOff(cluster, service, waypoints, trustDomain)),
    ...asked(cluster, config, unlisted),
  ]
}

function unlistedServices(cluster: ClusterView, catalog: Catalog): readonly KubeService[] {
  const located = locate(cluster, catalog)
  const listed = new Set(located.map(({ kube }) => kube))
  // A catalog entry with a wrong address is another finding; its Service is not missing.
  const misplaced = new Set(
    located.flatMap(({ service, kube }) => (kube?.name === service.name ? [] : [service.name])),
  )
  const own = ownService(cluster)
  return cluster.services.filter(
    (service) =>
      !listed.has(service) &&
      !misplaced.has(service.name) &&
      service !== own &&
      service.name !== ownName &&
      (service.selector?.size ?? 0) > 0 &&
      !service.labels.has(gatewayLabel) &&
      service.selector?.has(gatewayLabel) !== true,
  )
}

/** Finds Services without a waypoint in a namespace that admits only waypoints. */
function cutOff(
  cluster: ClusterView,
  service: KubeService,
  waypoints: ReturnType<typeof waypointAccounts>,
  trustDomain: string | undefined,
): readonly Finding[] {
  if (waypointOf(cluster, service) !== undefined) return []
  const guarded = guardedOf(cluster, service, service.ports)
  if (!isAmbient(cluster, guarded) || explainOpening(cluster, guarded, waypoints) !== undefined) return []
  const ports = service.ports.map(({ port }) => port).join(', ')
  const why = service.hasNoVip ? 'it is headless, so calls go to its pods' : 'it uses no waypoint'
  const caller = { namespace: service.namespace, name: 'CALLER' }
  return [
    {
      id: 'guard_cuts_off',
      severity: 'error',
      what: `${why}, and the L4 policy of its namespace lets only waypoints in: port ${ports} cannot be reached`,
      where: `Service ${keyOf(service)}`,
      why: 'the guard is for every pod of the namespace; a database or another TCP service needs its callers named',
      fix: `kubectl apply -f - <<'EOF'   # CALLER: the service account of each workload that calls it\n${allowYaml({ namespace: service.namespace, name: `callers-of-${service.name}` }, [{ ...caller, trustDomain }], [...(service.selector ?? [])], guarded.ports)}\nEOF`,
    },
  ]
}

/** Returns the mesh's trust domain in the spelling of an existing ALLOW policy. */
function trustDomainOf({ policies }: ClusterView): string | undefined {
  const principals = policies.flatMap(({ rules = [] }) =>
    rules.flatMap(({ sources }) => sources.flatMap((source) => source.principals)),
  )
  return principals.map((principal) => principal.split('/')[0]).find((domain) => domain !== '*')
}

/** Explains unlisted Services behind a waypoint that asks Waywarden: all their calls are refused, HTTP as `service_unknown`. */
function asked(
  cluster: ClusterView,
  config: DoctorConfig | undefined,
  unlisted: readonly KubeService[],
): readonly Finding[] {
  const isAsking = findAsking(cluster)
  const denied = unlisted.flatMap((service) => {
    const waypoint = waypointOf(cluster, service)
    return waypoint !== undefined && isAsking(waypoint) ? [{ service, waypoint }] : []
  })
  const byNamespace = groupBy(denied, ({ service }) => service.namespace)
  // In observe mode Waywarden refuses nothing.
  const severity = config?.observe === undefined ? 'error' : 'warning'
  return [...byNamespace].flatMap(([namespace, services]): readonly Finding[] => {
    const http = services.filter(({ service }) => service.ports.some((port) => !isOther(port)))
    const other = services.filter(({ service }) => service.ports.some(isOther))
    const where = `Namespace ${namespace}`
    return [
      ...(http.length === 0 ? [] : [missing(where, severity, namespace, http)]),
      ...other.map(({ service, waypoint }) => tcpDenied(severity, service, waypoint)),
    ]
  })
}

function missing(
  where: string,
  severity: Finding['severity'],
  namespace: string,
  services: readonly { readonly service: KubeService; readonly waypoint: ObjectName }[],
): Finding {
  const names = listFew(services.map(({ service }) => service.name))
  return {
    id: 'service_missing',
    severity,
    what: `${names} ${services.length === 1 ? 'goes' : 'go'} through the waypoint ${keyOf(services[0]?.waypoint)}, and services.yaml lacks ${services.length === 1 ? 'it' : 'them'}`,
    where,
    why: 'every request there is denied with `service_unknown`',
    fix: `kubectl get namespaces,services,pods -A -o json | waywarden catalog scaffold --namespace ${namespace}   # add what it prints to services.yaml`,
  }
}

function tcpDenied(severity: Finding['severity'], service: KubeService, waypoint: ObjectName): Finding {
  const ports = service.ports.filter(isOther).map(({ port }) => port)
  return {
    id: 'tcp_denied',
    severity,
    what: `port ${ports.join(', ')} speaks no HTTP and goes through the waypoint ${keyOf(waypoint)}, which asks Waywarden`,
    where: `Service ${keyOf(service)}`,
    why: 'a connection without HTTP has neither caller nor chain, so Waywarden denies it',
    fix: `kubectl -n ${service.namespace} label service ${service.name} istio.io/use-waypoint=none --overwrite   # and let its callers in by an ALLOW policy if the namespace is guarded`,
  }
}

function isOther({ port, name, protocol, appProtocol }: KubePort): boolean {
  const number = Number(port)
  return protocolOf({ port: number, name, protocol, appProtocol }) === 'other' || otherPorts.has(number)
}

function findAsking(cluster: ClusterView): (waypoint: ObjectName) => boolean {
  const policies = new Set(askingPolicies(cluster))
  const asking = cluster.gateways.filter((gateway) =>
    attachedPolicies(cluster, gateway).some((policy) => policies.has(policy)),
  )
  const names = new Set(asking.map(keyOf))
  return (waypoint) => names.has(keyOf(waypoint))
}
