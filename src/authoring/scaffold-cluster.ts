import { rememberEach } from '../base/cache/remember.ts'
import type { KubernetesList, KubernetesPod, KubernetesService } from './kubernetes-list.ts'
import { indexByLabels, type LabelIndex } from './label-index.ts'

/** Says which waypoint a service stands behind: on the service, or on its namespace. */
export const waypointLabel = 'istio.io/use-waypoint'

/** What is looked up for each service, so that a scaffold takes no longer per service in a large cluster. */
export type Cluster = {
  /** Those that have not ended. */
  readonly pods: LabelIndex<KubernetesPod>
  readonly namespaceLabels: ReadonlyMap<string, Readonly<Record<string, string>>>
}

/** Indexes what a scaffold looks up. */
export function indexCluster({ pods, namespaces }: KubernetesList): Cluster {
  const live = pods.filter(({ status }) => status?.phase !== 'Succeeded' && status?.phase !== 'Failed')
  return {
    pods: indexByLabels(live, {
      namespaceOf: ({ metadata }) => metadata.namespace ?? '',
      labelsOf: ({ metadata }) => new Map(Object.entries(metadata.labels ?? {})),
    }),
    // The first of two with one name, as it would be found.
    namespaceLabels: new Map(
      namespaces.toReversed().map(({ metadata }) => [metadata.name, metadata.labels ?? {}]),
    ),
  }
}

/** Service accounts of the pods that it selects and that have not ended, the most frequent first. */
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

/** The Gateway that a service stands behind; `undefined` when nothing says so, `none` when it must not stand behind any. */
export function waypointName(service: KubernetesService, cluster: Cluster): string | undefined {
  return labelOf(service, waypointLabel, cluster)
}

/** The service's own label, else its namespace's. */
export function labelOf(
  { metadata }: KubernetesService,
  label: string,
  { namespaceLabels }: Cluster,
): string | undefined {
  const own = metadata.labels ?? {}
  // A service that names its waypoint does not take the namespace of its namespace's.
  if (own[waypointLabel] !== undefined) return own[label]
  return namespaceLabels.get(metadata.namespace ?? '')?.[label]
}
