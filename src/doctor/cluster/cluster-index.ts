import { indexByLabels, type LabelIndex } from '../../authoring/label-index.ts'
import { rememberEach } from '../../base/cache/remember.ts'
import { groupByAll } from '../../base/collections/group-by.ts'
import type { AuthorizationPolicy } from './authorization-policy.ts'
import type { ClusterView, Gateway, KubeService, ServiceEntry, Workload } from './view.ts'

/** Indexes of a cluster, so that a rule about each service stays linear in large clusters. */
export type ClusterIndex = {
  /** By `namespace/name`. */
  readonly serviceByName: ReadonlyMap<string, KubeService>
  readonly servicesByAddress: ReadonlyMap<string, readonly KubeService[]>
  readonly entriesByHost: ReadonlyMap<string, readonly ServiceEntry[]>
  readonly entryAddresses: ReadonlySet<string>
  /** By namespace and service account. */
  readonly gatewayByAccount: ReadonlyMap<string, Gateway>
  readonly workloadsByAccount: ReadonlyMap<string, readonly Workload[]>
  readonly workloads: LabelIndex<Workload>
  /** ALLOW and DENY policies without a target, which ztunnel applies. A policy with a selector is found by one of its labels. */
  readonly guardsOfAll: ReadonlyMap<string, readonly AuthorizationPolicy[]>
  readonly guardsByLabel: ReadonlyMap<string, readonly AuthorizationPolicy[]>
  /** By kind, namespace and name of the target. */
  readonly policiesByTarget: ReadonlyMap<string, readonly AuthorizationPolicy[]>
  /** Gateways, Services and ServiceEntries, by the key of a policy's target. */
  readonly targets: ReadonlySet<string>
}

/** Returns the index key of a policy's target. */
export function targetKey(kind: string, namespace: string, name: string): string {
  return JSON.stringify([kind, namespace, name])
}

/** Returns the index key of a label in a namespace. */
export function labelKey(namespace: string, [name, value]: readonly [string, string]): string {
  return JSON.stringify([namespace, name, value])
}

/** Indexes a cluster. Of two objects with one key it keeps the first. */
export const indexCluster: (cluster: ClusterView) => ClusterIndex = rememberEach((cluster) => ({
  ...indexObjects(cluster),
  ...indexPolicies(cluster),
}))

function indexObjects(
  cluster: ClusterView,
): Omit<ClusterIndex, 'guardsOfAll' | 'guardsByLabel' | 'policiesByTarget' | 'targets'> {
  return {
    serviceByName: firstBy(cluster.services, ({ namespace, name }) => `${namespace}/${name}`),
    servicesByAddress: groupByAll(cluster.services, ({ addresses }) => addresses),
    entriesByHost: groupByAll(cluster.serviceEntries, ({ hosts }) => hosts),
    entryAddresses: new Set(cluster.serviceEntries.flatMap(({ addresses }) => addresses)),
    gatewayByAccount: firstBy(
      cluster.gateways,
      ({ namespace, serviceAccount }) => `${namespace}/${serviceAccount}`,
    ),
    workloadsByAccount: groupByAll(cluster.workloads, ({ namespace, serviceAccount }) => [
      `${namespace}/${serviceAccount}`,
    ]),
    workloads: indexByLabels(cluster.workloads, {
      namespaceOf: ({ namespace }) => namespace,
      labelsOf: ({ podLabels }) => podLabels,
    }),
  }
}

function indexPolicies({
  policies,
  gateways,
  services,
  serviceEntries,
}: ClusterView): Pick<ClusterIndex, 'guardsOfAll' | 'guardsByLabel' | 'policiesByTarget' | 'targets'> {
  const guards = policies.filter(({ action, targets }) => targets.length === 0 && action !== 'CUSTOM')
  const keysOf = (kind: string, objects: readonly { readonly namespace: string; readonly name: string }[]) =>
    objects.map(({ namespace, name }) => targetKey(kind, namespace, name))
  return {
    guardsOfAll: groupByAll(guards, ({ namespace, selector }) =>
      (selector?.size ?? 0) === 0 ? [namespace] : [],
    ),
    guardsByLabel: groupByAll(guards, ({ namespace, selector = new Map() }) =>
      [...selector].slice(0, 1).map((label) => labelKey(namespace, label)),
    ),
    policiesByTarget: groupByAll(policies, ({ namespace, targets }) =>
      targets.map(({ kind, name }) => targetKey(kind, namespace, name)),
    ),
    targets: new Set([
      ...keysOf('Gateway', gateways),
      ...keysOf('Service', services),
      ...keysOf('ServiceEntry', serviceEntries),
    ]),
  }
}

function firstBy<T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, T> {
  return new Map(items.toReversed().map((item) => [keyOf(item), item]))
}
