import { isLoopback } from '../base/http/loopback.ts'
import { allowYaml, turnedAway } from './allow.ts'
import { explainOpening, findShutOut, type Guarded, isAmbient } from './cluster/access.ts'
import { keyOf, ownService, toName, waypointAccounts, workloadsBehind } from './cluster/guarded.ts'
import type { NetworkPolicy } from './cluster/network-policy.ts'
import { type ClusterView, matches } from './cluster/view.ts'
import type { Finding, Rule } from './finding.ts'

type Opening = NetworkPolicy['ingress'][number]

/** Finds ways to Waywarden's port that avoid the waypoints. A workload that reaches the port can claim to be any caller. */
export const portRule: Rule = (cluster, config, catalog) => {
  const service = ownService(cluster)
  if (service === undefined) return []
  const pods = workloadsBehind(cluster, service).filter(({ isOwned }) => !isOwned)
  const [first] = pods
  const where = `Service ${keyOf(service)}`
  const hostPod = pods.find(({ isHostNetwork }) => isHostNetwork)
  if (hostPod !== undefined) return [hostNetwork(`${hostPod.kind} ${keyOf(hostPod)}`)]
  // Client certificates prove the waypoint, and other pods cannot reach a loopback address.
  const open = config?.listeners.filter(
    ({ port, address = '', tls }) =>
      port !== undefined && tls?.clientCa === undefined && !isLoopback(address),
  )
  if (open?.length === 0) return []
  const guarded = {
    namespace: service.namespace,
    labels: first?.podLabels ?? service.selector ?? new Map(),
    ports: open?.map(({ port }) => String(port)) ?? ['9191'],
  }
  const waypoints = waypointAccounts(
    cluster,
    catalog?.services.map(({ waypoint }) => toName(waypoint)),
  )
  const opening = isAmbient(cluster, guarded)
    ? explainOpening(cluster, guarded, waypoints)
    : `namespace ${service.namespace} is not \`istio.io/dataplane-mode: ambient\`, so ztunnel guards nothing`
  const missing = findShutOut(cluster, guarded, waypoints)
  if (missing.length > 0)
    return [
      turnedAway(where, service.namespace, missing, 'no check of it arrives, and it refuses everything'),
    ]
  if (opening === undefined || isWalledOff(cluster, guarded)) return []
  return [
    {
      id: 'port_open',
      severity: 'error',
      what: `port ${guarded.ports.join(', ')} can be reached by others than the waypoints, because ${opening}`,
      where,
      why: 'nothing in a check is proven: every workload that reaches the port can ask as any caller and be given a chain',
      fix: `kubectl label namespace ${service.namespace} istio.io/dataplane-mode=ambient --overwrite\nkubectl apply -f - <<'EOF'\n${allowYaml({ ...service, name: 'waywarden' }, waypoints, [...(service.selector ?? [])], guarded.ports)}\nEOF`,
    },
  ]
}

/** Writes a NetworkPolicy that admits only the waypoints' pods to the port, with or without ztunnel. */
function isWalledOff({ networkPolicies }: ClusterView, { namespace, labels, ports }: Guarded): boolean {
  const chosen = networkPolicies.filter(
    ({ isIngress, selector, ...policy }) =>
      isIngress && policy.namespace === namespace && selector !== undefined && matches(selector, labels),
  )
  // The author of a pod chooses its labels, so the policy must also name the namespace.
  const isForWaypoints = ({ pods, namespaces }: Opening['peers'][number]): boolean =>
    pods.has('gateway.networking.k8s.io/gateway-name') && namespaces.size > 0
  // The HBONE port leads to every port of the pod.
  const isHarmless = ({ ports: opened, peers }: Opening): boolean =>
    (opened.length > 0 &&
      !opened.some((port) => port === '15008' || ports.includes(port) || !/^\d+$/.test(port))) ||
    (peers.length > 0 && peers.every(isForWaypoints))
  return chosen.length > 0 && chosen.every(({ ingress }) => ingress.every(isHarmless))
}

function hostNetwork(where: string): Finding {
  return {
    id: 'host_network',
    severity: 'error',
    what: 'it runs with `hostNetwork: true`',
    where,
    why: 'ztunnel does not capture such a pod: the L4 policy on our port is not enforced',
    fix: 'spec: {template: {spec: {hostNetwork: false}}}',
  }
}
