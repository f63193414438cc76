import { rememberEach } from '../base/cache/remember.ts'
import type { KubernetesList, KubernetesPod, KubernetesService } from './kubernetes-list.ts'
import { indexByLabels, type LabelIndex } from './label-index.ts'

/** The label with a service's waypoint, on the service or on its namespace. */
export const waypointLabel = 'istio.io/use-waypoint'

/** Indexes for each service, so that the time per service does not grow with the cluster. */
export type Cluster = {
  /** Pods that have not ended. */
  readonly pods: LabelIndex<KubernetesPod>
  readonly namespaceLabels: ReadonlyMap<string, Readonly<Record<string, string>>>
}

/** Builds the indexes for a scaffold. */
export function indexCluster({ pods, namespaces }: KubernetesList): Cluster {
  const live = pods.filter(({ status }) => status?.phase !== 'Succeeded' && status?.phase !== 'Failed')
  return {
    pods: indexByLabels(live, {
      namespaceOf: ({ metadata }) => metadata.namespace ?? '',
      labelsOf: ({ metadata }) => new Map(Object.entries(metadata.labels ?? {})),
    }),
    // Of two with one name, the first counts.
    namespaceLabels: new Map(
      namespaces.toReversed().map(({ metadata }) => [metadata.name, metadata.labels ?? {}]),
    ),
  }
}

/** Returns the service accounts of the selected pods that have not ended, the most frequent first. */
export function accountsOf({ metadata, spec }: KubernetesService, { pods }: Cluster): readonly string[] {
  return countAccounts(pods.select(metadata.namespace ?? '', new Map(Object.entries(spec.selector ?? {}))))
}

/** Counted once for all services that select the same pods. */
const countAccounts = rememberEach((pods: readonly KubernetesPod[]): readonly string[] => {
  const counts = new Map<string, number>()
  for (const pod of pods) {
    const account = pod.spec.serviceAccountName ?? 'default'
    counts.set(account, (counts.get(account) ?? 0) + 1)
  }
  return [...counts].sort((a, b) => b[1] - a[1]).map(([account]) => account)
})

/** Returns the service's waypoint; `undefined` if none is named, `none` if it must not have one. */
export function waypointName(service: KubernetesService, cluster: Cluster): string | undefined {
  return labelOf(service, waypointLabel, cluster)
}

/** Returns the service's own label, else its namespace's. */
export function labelOf(
  { metadata }: KubernetesService,
  label: string,
  { namespaceLabels }: Cluster,
): string | undefined {
  const own = metadata.labels ?? {}
  // A service that names its own waypoint does not use the namespace of its Namespace's waypoint.
  if (own[waypointLabel] !== undefined) return own[label]
  return namespaceLabels.get(metadata.namespace ?? '')?.[label]
}
