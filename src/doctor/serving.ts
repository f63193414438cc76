import { indexCluster } from './cluster/cluster-index.ts'
import { askingPolicies, keyOf, ownService, waypoints, workloadsBehind } from './cluster/guarded.ts'
import type { Condition } from './cluster/status.ts'
import { type ClusterView, type Gateway, matches, type Workload } from './cluster/view.ts'
import type { Finding, Rule } from './finding.ts'

/**
 * Checks that a correct set-up can also serve: ready replicas, endpoints, a programmed waypoint. Only objects with a
 * `status` are checked, because files from disk have none.
 */
export const servingRule: Rule = (cluster, _config, catalog) => [
  ...replicaFindings(cluster),
  ...waypoints(cluster, catalog).flatMap((gateway) => gatewayFindings(cluster, gateway)),
  ...refusedFindings(cluster),
]

function replicaFindings(cluster: ClusterView): readonly Finding[] {
  const service = ownService(cluster)
  if (service === undefined) return []
  const behind = workloadsBehind(cluster, service)
  const live = behind.filter(({ readyReplicas }) => readyReplicas !== undefined)
  // A Deployment that asks for no replica is another finding.
  if (behind.some(({ kind, replicas }) => kind === 'Deployment' && replicas === 0)) return []
  // A Service without a selector has no endpoints either.
  if (live.length === 0 && (behind.length > 0 || !isLive(cluster))) return []
  const ready = countReady(live)
  const wanted = Math.max(
    0,
    ...live.filter(({ kind }) => kind === 'Deployment').map(({ replicas }) => replicas ?? 0),
  )
  const where = `Service ${keyOf(service)}`
  const reasons = live.flatMap(({ conditions }) => conditions).filter(isFailure)
  const because = reasons.length === 0 ? '' : `: ${[...new Set(reasons.map(toText))].join('; ')}`
  const look = `kubectl -n ${service.namespace} get deployments,replicasets,pods`
  if (ready === 0)
    return [
      {
        id: 'no_replica_ready',
        severity: 'error',
        what: `no pod behind it is ready${because}`,
        where,
        why: 'the waypoint gets no answer and refuses every request with an empty body',
        fix: behind.length === 0 ? `${look}   # and the labels that the Service selects` : look,
      },
    ]
  if (ready >= wanted) return []
  return [
    {
      id: 'replicas_missing',
      severity: 'warning',
      what: `${ready} of ${wanted} pods are ready${because}`,
      where,
      why: 'the remaining pods carry the whole load',
      fix: look,
    },
  ]
}

function gatewayFindings(cluster: ClusterView, gateway: Gateway): readonly Finding[] {
  const where = `Gateway ${keyOf(gateway)}`
  const refused = gateway.conditions.find(
    ({ type, status }) => (type === 'Accepted' || type === 'Programmed') && status !== 'True',
  )
  if (refused !== undefined)
    return [
      {
        id: 'waypoint_not_programmed',
        severity: 'error',
        what: `its condition ${toText(refused)}`,
        where,
        why: 'its requests fail, or bypass it and Waywarden',
        fix: `kubectl -n ${gateway.namespace} describe gateway ${gateway.name}`,
      },
    ]
  const labels = new Map([['gateway.networking.k8s.io/gateway-name', gateway.name]])
  const live = indexCluster(cluster)
    .workloads.select(gateway.namespace, labels)
    .filter(({ readyReplicas }) => readyReplicas !== undefined)
  if (live.length === 0 || countReady(live) > 0) return []
  return [
    {
      id: 'waypoint_not_ready',
      severity: 'error',
      what: 'none of its pods is ready',
      where,
      why: 'ztunnel finds no waypoint, so every call to the services behind it fails',
      fix: `kubectl -n ${gateway.namespace} get pods -l gateway.networking.k8s.io/gateway-name=${gateway.name}`,
    },
  ]
}

/** Finds policies that istiod or ztunnel refused. */
function refusedFindings(cluster: ClusterView): readonly Finding[] {
  const service = ownService(cluster)
  const asking = new Set(askingPolicies(cluster))
  const ours = cluster.policies.filter((policy) => asking.has(policy) || isAboutUs(policy, service))
  const all = [
    ...ours.map((policy) => ({ ...policy, kind: 'AuthorizationPolicy' })),
    ...cluster.envoyFilters.map((filter) => ({ ...filter, kind: 'EnvoyFilter' })),
  ]
  return all.flatMap(({ kind, namespace, name, conditions }) => {
    const refused = conditions.find(({ status }) => status === 'False')
    if (refused === undefined) return []
    return [
      {
        id: 'object_refused',
        severity: 'error',
        what: `its condition ${toText(refused)}`,
        where: `${kind} ${namespace}/${name}`,
        why: 'the mesh has not accepted it, so the file does not apply',
        fix: `kubectl -n ${namespace} describe ${kind.toLowerCase()} ${name}`,
      },
    ]
  })
}

function isAboutUs(policy: ClusterView['policies'][number], service: ReturnType<typeof ownService>): boolean {
  return (
    service !== undefined &&
    policy.namespace === service.namespace &&
    (policy.selector === undefined || matches(policy.selector, service.selector ?? new Map()))
  )
}

/** Avoids counting a Deployment's replicas twice, because its pods count them too. */
function countReady(live: readonly Workload[]): number {
  const count = (kind: Workload['kind']): number =>
    live.filter((one) => one.kind === kind).reduce((sum, { readyReplicas = 0 }) => sum + readyReplicas, 0)
  return live.some(({ kind }) => kind === 'Pod') ? count('Pod') : count('Deployment')
}

function isLive({ workloads }: ClusterView): boolean {
  return workloads.some(({ readyReplicas }) => readyReplicas !== undefined)
}

function isFailure({ type, status }: Condition): boolean {
  return type === 'ReplicaFailure' ? status === 'True' : status === 'False'
}

function toText({ type, status, reason, message }: Condition): string {
  return `\`${type}\` is ${status}${reason === '' ? '' : ` (${reason})`}${message === '' ? '' : `: ${message}`}`
}
