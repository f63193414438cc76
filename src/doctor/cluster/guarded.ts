import { rememberEach } from '../../base/cache/remember.ts'
import type { Labels } from '../../base/document/kube-object.ts'
import { namespaceOf, type SpiffeId } from '../../base/model/spiffe-id.ts'
import type { Catalog, CatalogService } from '../../policy/catalog/catalog.ts'
import type { AuthorizationPolicy } from './authorization-policy.ts'
import { indexCluster } from './cluster-index.ts'
import { type Provider, serviceOfProvider } from './mesh.ts'
import type { ClusterView, Gateway, KubeService, Workload } from './view.ts'

/** Our name among the providers of the shipped mesh configuration. */
export const ownName = 'waywarden'

/** The class of Envoy waypoints; others do not know the annotation. */
export const waypointClass = 'istio-waypoint'

/** A Kubernetes object's name and namespace. */
export type ObjectName = { readonly namespace: string; readonly name: string }

/** A service account; `undefined` stands for the mesh's own trust domain, whatever it is. */
export type Account = ObjectName & { readonly trustDomain?: string | undefined }

/** A service of the catalog, and what stands for it in the cluster. */
export type Located = {
  readonly service: CatalogService
  readonly kube: KubeService | undefined
  /** Where it runs, and as whom; `undefined` for an identity that is not of Istio's form. */
  readonly identity: Account | undefined
  readonly waypoint: Account | undefined
}

/** The providers that ask Waywarden: by the shipped name, or by a Service of that name. */
export function ownProviders(cluster: ClusterView): readonly Provider[] {
  return cluster.mesh.providers.filter(
    (provider) => provider.name === ownName || serviceOfProvider(provider).name === ownName,
  )
}

/** Our Service, as the provider names it, or by its shipped name. */
export function ownService(cluster: ClusterView): KubeService | undefined {
  const [provider] = ownProviders(cluster)
  const wanted = provider === undefined ? { namespace: ownName, name: ownName } : serviceOfProvider(provider)
  return indexCluster(cluster).serviceByName.get(keyOf(wanted))
}

/** The policies that ask Waywarden, or mean to: they name our provider, or one that the mesh does not have. */
export function askingPolicies(cluster: ClusterView): readonly AuthorizationPolicy[] {
  const own = new Set([ownName, ...ownProviders(cluster).map(({ name }) => name)])
  return cluster.policies.filter(
    ({ action, provider = '' }) =>
      action === 'CUSTOM' && (own.has(provider) || !cluster.mesh.providerNames.has(provider)),
  )
}

/** The waypoints that matter: those of the catalog; without one, all that there are. */
export function waypoints(cluster: ClusterView, catalog: Catalog | undefined): readonly Gateway[] {
  const all = cluster.gateways.filter(({ className }) => className.includes('waypoint'))
  if (catalog === undefined) return all
  const named = new Set(locate(cluster, catalog).map(({ waypoint }) => keyOf(waypoint)))
  return all.filter(({ namespace, serviceAccount }) => named.has(keyOf({ namespace, name: serviceAccount })))
}

/** The accounts of waypoints, each once; without a catalog, of all that there are. */
export function waypointAccounts(
  cluster: ClusterView,
  named: readonly (Account | undefined)[] | undefined,
): readonly Account[] {
  if (named === undefined)
    return cluster.gateways
      .filter(({ className }) => className.includes('waypoint'))
      .map(({ namespace, serviceAccount }) => ({ namespace, name: serviceAccount }))
  const known = named.filter((name) => name !== undefined)
  return [...new Map(known.map((name) => [keyOf(name), name])).values()]
}

/** Every service of the catalog with its Service, found by DNS name first and by cluster IP else. */
export function locate(cluster: ClusterView, catalog: Catalog | undefined): readonly Located[] {
  return catalog === undefined ? [] : locateIn(cluster)(catalog)
}

/** Once, though every rule asks. */
const locateIn = rememberEach((cluster: ClusterView) =>
  rememberEach((catalog: Catalog): readonly Located[] =>
    catalog.services.map((service) => {
      const { waypoint, spiffeId } = service
      const kube = findKube(cluster, service)
      return { service, kube, identity: toName(spiffeId), waypoint: toName(waypoint) }
    }),
  ),
)

function findKube(cluster: ClusterView, { addresses }: CatalogService): KubeService | undefined {
  const { servicesByAddress } = indexCluster(cluster)
  const hosts = addresses.map(({ host }) => host)
  const named = hosts.flatMap((host) => findByHost(cluster, host) ?? [])
  return named[0] ?? hosts.flatMap((host) => servicesByAddress.get(host) ?? [])[0]
}

/** The Service that a host `name.namespace.svc.…` names. */
export function findByHost(cluster: ClusterView, host: string): KubeService | undefined {
  const [, name, namespace] = /^([^.]+)\.([^.]+)\.svc(?:\.|$)/.exec(host) ?? []
  return indexCluster(cluster).serviceByName.get(`${namespace}/${name}`)
}

/** Everything that runs with an identity. */
export function workloadsOf(cluster: ClusterView, identity: ObjectName): readonly Workload[] {
  return indexCluster(cluster).workloadsByAccount.get(keyOf(identity)) ?? []
}

/** Everything that a Service sends to. */
export function workloadsBehind(cluster: ClusterView, service: KubeService): readonly Workload[] {
  const { selector, namespace } = service
  return selector === undefined ? [] : indexCluster(cluster).workloads.select(namespace, selector)
}

/** A namespace's labels; none when it was not given. */
export function namespaceLabels(cluster: ClusterView, namespace: string): Labels {
  return cluster.namespaces.get(namespace) ?? new Map()
}

/** The Kubernetes names in an ID of Istio's form. */
export function toName(id: SpiffeId): Account | undefined {
  const namespace = namespaceOf(id)
  return namespace === undefined
    ? undefined
    : { namespace, name: id.path.slice(id.path.lastIndexOf('/') + 1), trustDomain: id.trustDomain }
}

/** `namespace/name`, to compare and to show. */
export function keyOf(name: ObjectName | undefined): string {
  return name === undefined ? '' : `${name.namespace}/${name.name}`
}
