import type { Guarded } from './access.ts'
import { keyOf, namespaceLabels, type ObjectName, workloadsBehind } from './guarded.ts'
import type { ClusterView, KubePort, KubeService, Workload } from './view.ts'

const useWaypoint = 'istio.io/use-waypoint'
const useWaypointNamespace = 'istio.io/use-waypoint-namespace'

/** Returns the waypoint of calls to a Service, by its own label or its namespace's; `undefined` if none. */
export function waypointOf(cluster: ClusterView, service: KubeService): ObjectName | undefined {
  // Calls to a Service without a cluster IP go directly to its pods.
  if (service.hasNoVip) return undefined
  const { namespace } = service
  const labels = service.labels.has(useWaypoint) ? service.labels : namespaceLabels(cluster, namespace)
  const name = labels.get(useWaypoint)
  if (name === undefined || name === 'none') return undefined
  return { namespace: labels.get(useWaypointNamespace) ?? namespace, name }
}

/** Returns the pods behind a Service, and their target ports. */
export function guardedOf(cluster: ClusterView, service: KubeService, ports: readonly KubePort[]): Guarded {
  const [pod] = workloadsBehind(cluster, service).filter(({ isOwned }) => !isOwned)
  const targets = ports.map(({ targetPort }) => toNumber(targetPort, pod))
  const isKnown = targets.every((port) => port !== undefined)
  return {
    namespace: service.namespace,
    labels: pod?.podLabels ?? service.selector ?? new Map(),
    ports: isKnown ? targets : [],
  }
}

/** Resolves a target port that may be a name; `undefined` if the pod does not declare it. */
export function toNumber(targetPort: string, pod: Workload | undefined): string | undefined {
  if (/^\d+$/.test(targetPort)) return targetPort
  return pod?.containers.flatMap(({ ports }) => ports).find(({ name }) => name === targetPort)?.port
}

/** True if two names are the same object. */
export function isSame(one: ObjectName, other: ObjectName): boolean {
  return keyOf(one) === keyOf(other)
}
