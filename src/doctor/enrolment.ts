import { indexCluster } from './cluster/cluster-index.ts'
import {
  keyOf,
  type Located,
  locate,
  namespaceLabels,
  type ObjectName,
  waypointClass,
} from './cluster/guarded.ts'
import { type ClusterView, type Gateway, matches } from './cluster/view.ts'
import type { DoctorConfig, Finding, Rule } from './finding.ts'

const useWaypoint = 'istio.io/use-waypoint'
const useWaypointNamespace = 'istio.io/use-waypoint-namespace'
const ingressUsesWaypoint = 'istio.io/ingress-use-waypoint'

/** Checks that calls to the catalog's services go through the waypoints that the catalog names. */
export const enrolmentRule: Rule = (cluster, config, catalog) => {
  const located = locate(cluster, catalog)
  const waypoints = new Map(located.map(({ waypoint }) => [keyOf(waypoint), waypoint]))
  return [
    ...[...waypoints.values()].flatMap((waypoint) => waypointFindings(cluster, waypoint)),
    ...withoutRepeats(located.flatMap((one) => sharingFindings(cluster, one))),
    ...withoutRepeats(located.flatMap((one) => enrolledFindings(cluster, one))),
    ...withoutRepeats(located.flatMap((one) => ingressFindings(cluster, config, one))),
  ]
}

function waypointFindings(cluster: ClusterView, waypoint: ObjectName | undefined): readonly Finding[] {
  if (waypoint === undefined) return []
  const gateway = gatewayOf(cluster, waypoint)
  const where = `Gateway ${keyOf(waypoint)}`
  if (gateway === undefined)
    return [
      {
        id: 'waypoint_absent',
        severity: 'error',
        what: 'the catalog names this waypoint, and there is no such Gateway',
        where,
        why: 'Waywarden is not asked about these services; other waypoints are denied with `waypoint_unknown`',
        fix: `kubectl -n ${waypoint.namespace} apply -f istio/mesh/gateway.yaml   # metadata.name: ${waypoint.name}`,
      },
    ]
  const findings: Finding[] = []
  if (gateway.className !== waypointClass)
    findings.push({
      id: 'waypoint_class',
      severity: 'error',
      what: `its class is \`${gateway.className}\``,
      where,
      why: 'only Envoy waypoints send the caller by annotation or EnvoyFilter; others need `peer: principal` and mTLS to Waywarden',
      fix: `spec: {gatewayClassName: ${waypointClass}}`,
    })
  const servesFor = gateway.labels.get('istio.io/waypoint-for') ?? 'service'
  if (servesFor !== 'service' && servesFor !== 'all')
    findings.push({
      id: 'waypoint_for',
      severity: 'error',
      what: `it is \`istio.io/waypoint-for: ${servesFor}\``,
      where,
      why: 'calls to Services do not go through it, so Waywarden is not asked',
      fix: `kubectl -n ${gateway.namespace} label gateway ${gateway.name} istio.io/waypoint-for=service --overwrite`,
    })
  return findings
}

function sharingFindings(cluster: ClusterView, { identity, waypoint }: Located): readonly Finding[] {
  const gateway = waypoint && gatewayOf(cluster, waypoint)
  if (gateway === undefined || identity === undefined || identity.namespace === gateway.namespace) return []
  const labels = new Map([
    ...namespaceLabels(cluster, identity.namespace),
    ['kubernetes.io/metadata.name', identity.namespace] as const,
  ])
  const isAllowed = gateway.allows.some(
    ({ from, labels: wanted }) =>
      from === 'All' || (from === 'Selector' && wanted !== undefined && matches(wanted, labels)),
  )
  if (isAllowed) return []
  return [
    {
      id: 'waypoint_not_shared',
      severity: 'error',
      what: `it takes no services of namespace ${identity.namespace}`,
      where: `Gateway ${keyOf(gateway)}`,
      why: 'their calls go to the pods directly, and Waywarden is not asked',
      fix: 'spec: {listeners: [{name: mesh, port: 15008, protocol: HBONE, allowedRoutes: {namespaces: {from: All}}}]}',
    },
  ]
}

function enrolledFindings(
  cluster: ClusterView,
  { kube, identity, waypoint, service }: Located,
): readonly Finding[] {
  const gateway = waypoint && gatewayOf(cluster, waypoint)
  const namespace = kube?.namespace ?? identity?.namespace
  if (gateway === undefined || namespace === undefined) return []
  const ofNamespace = namespaceLabels(cluster, namespace)
  const labels = kube?.labels.has(useWaypoint) ? kube.labels : ofNamespace
  const name = labels.get(useWaypoint)
  const used = { namespace: labels.get(useWaypointNamespace) ?? namespace, name: name ?? '' }
  if (keyOf(used) === keyOf(gateway)) return []
  const isOwnLabel = labels !== ofNamespace
  const target = isOwnLabel ? `-n ${namespace} label service ${kube?.name}` : `label namespace ${namespace}`
  return [
    {
      id: 'not_enrolled',
      severity: 'error',
      what:
        name === undefined
          ? `it has no label \`${useWaypoint}\``
          : `it uses the waypoint ${name === 'none' ? 'none' : keyOf(used)}, and the catalog names ${keyOf(gateway)}`,
      where: isOwnLabel ? `Service ${namespace}/${kube?.name ?? service.name}` : `Namespace ${namespace}`,
      why: 'its calls do not go through the waypoint that asks Waywarden',
      fix: `kubectl ${target} ${useWaypoint}=${gateway.name} ${useWaypointNamespace}=${gateway.namespace} --overwrite`,
    },
  ]
}

function ingressFindings(
  cluster: ClusterView,
  config: DoctorConfig | undefined,
  { service, kube }: Located,
): readonly Finding[] {
  const hasIngress = config === undefined || config.ingress.peers.length > 0
  if (!hasIngress || !service.isEntry || kube === undefined) return []
  const ofNamespace = namespaceLabels(cluster, kube.namespace).get(ingressUsesWaypoint)
  if ((kube.labels.get(ingressUsesWaypoint) ?? ofNamespace) === 'true') return []
  return [
    {
      id: 'ingress_bypasses',
      severity: 'error',
      what: `it is an entry of the catalog and not labelled \`${ingressUsesWaypoint}: "true"\``,
      where: `Service ${keyOf(kube)}`,
      why: "the ingress gateway calls its pods directly: users' requests are not judged, or the L4 policy refuses them, and no chain begins",
      fix: `kubectl -n ${kube.namespace} label service ${kube.name} ${ingressUsesWaypoint}=true --overwrite`,
    },
  ]
}

function gatewayOf(cluster: ClusterView, waypoint: ObjectName): Gateway | undefined {
  return indexCluster(cluster).gatewayByAccount.get(keyOf(waypoint))
}

/** Merges the findings of services in one namespace. */
function withoutRepeats(findings: readonly Finding[]): readonly Finding[] {
  const first = new Map<string, Finding>()
  for (const finding of findings) {
    const key = JSON.stringify([finding.where, finding.what])
    if (!first.has(key)) first.set(key, finding)
  }
  return [...first.values()]
}
