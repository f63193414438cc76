import { rememberEach } from '../../base/cache/remember.ts'
import type { Labels } from '../../base/document/kube-object.ts'
import { namespaceOf, type SpiffeId } from '../../base/model/spiffe-id.ts'
import type { Catalog, CatalogService } from '../../policy/catalog/catalog.ts'
import type { AuthorizationPolicy } from './authorization-policy.ts'
import { indexCluster } from './cluster-index.ts'
import { type Provider, serviceOfProvider } from './mesh.ts'
import type { ClusterView, Gateway, KubeService, Workload } from './view.ts'

/** The name of Waywarden's provider in the shipped mesh configuration. */
export const ownName = 'waywarden'

/** The class of Envoy waypoints. Other waypoints ignore the annotation. */
export const waypointClass = 'istio-waypoint'

/** A Kubernetes object's name and namespace. */
export type ObjectName = { readonly namespace: string; readonly name: string }

/** A service account; without `trustDomain`, of the mesh's own trust domain. */
export type Account = ObjectName & { readonly trustDomain?: string | undefined }

/** A service of the catalog, with its objects in the cluster. */
export type Located = {
  readonly service: CatalogService
  readonly kube: KubeService | undefined
  /** Its namespace and service account; `undefined` for an identity that is not of Istio's form. */
  readonly identity: Account | undefined
  readonly waypoint: Account | undefined
}

/** Returns Waywarden's providers: those with the shipped name, or whose Service has that name. */
export function ownProviders(cluster: ClusterView): readonly Provider[] {
  return cluster.mesh.providers.filter(
    (provider) => provider.name === ownName || serviceOfProvider(provider).name === ownName,
  )
}

/** Returns Waywarden's Service: the one that the provider names, or the one with the shipped name. */
export function ownService(cluster: ClusterView): KubeService | undefined {
  const [provider] = ownProviders(cluster)
  const wanted = provider === undefined ? { namespace: ownName, name: ownName } : serviceOfProvider(provider)
  return indexCluster(cluster).serviceByName.get(keyOf(wanted))
}

/** Returns the policies that name Waywarden's provider, or a provider that the mesh does not have. */
export function askingPolicies(cluster: ClusterView): readonly AuthorizationPolicy[] {
  const own = new Set([ownName, ...ownProviders(cluster).map(({ name }) => name)])
  return cluster.policies.filter(
    ({ action, provider = '' }) =>
      action === 'CUSTOM' && (own.has(provider) || !cluster.mesh.providerNames.has(provider)),
  )
}

/** Returns the waypoints of the catalog; without a catalog, all. */
export function waypoints(cluster: ClusterView, catalog: Catalog | undefined): readonly Gateway[] {
  const all = cluster.gateways.filter(({ className }) => className.includes('waypoint'))
  if (catalog === undefined) return all
  const named = new Set(locate(cluster, catalog).map(({ waypoint }) => keyOf(waypoint)))
  return all.filter(({ namespace, serviceAccount }) => named.has(keyOf({ namespace, name: serviceAccount })))
}

/** Returns the service accounts of waypoints, each once; without a catalog, of all waypoints. */
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

/** Pairs each service of the catalog with its Service: by DNS name, else by cluster IP. */
export function locate(cluster: ClusterView, catalog: Catalog | undefined): readonly Located[] {
  return catalog === undefined ? [] : locateIn(cluster)(catalog)
}

/** Located once for all rules. */
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

/** Returns the Service of a host `name.namespace.svc.…`. */
export function findByHost(cluster: ClusterView, host: string): KubeService | undefined {
  const [, name, namespace] = /^([^.]+)\.([^.]+)\.svc(?:\.|$)/.exec(host) ?? []
  return indexCluster(cluster).serviceByName.get(`${namespace}/${name}`)
}

/** Returns all workloads with this identity. */
export function workloadsOf(cluster: ClusterView, identity: ObjectName): readonly Workload[] {
  return indexCluster(cluster).workloadsByAccount.get(keyOf(identity)) ?? []
}

/** Returns all workloads that a Service selects. */
export function workloadsBehind(cluster: ClusterView, service: KubeService): readonly Workload[] {
  const { selector, namespace } = service
  return selector === undefined ? [] : indexCluster(cluster).workloads.select(namespace, selector)
}

/** Returns a namespace's labels; empty if the namespace is not in the view. */
export function namespaceLabels(cluster: ClusterView, namespace: string): Labels {
  return cluster.namespaces.get(namespace) ?? new Map()
}

/** Returns the Kubernetes names in a SPIFFE ID of Istio's form. */
export function toName(id: SpiffeId): Account | undefined {
  const namespace = namespaceOf(id)
  return namespace === undefined
    ? undefined
    : { namespace, name: id.path.slice(id.path.lastIndexOf('/') + 1), trustDomain: id.trustDomain }
}

/** Returns `namespace/name`. */
export function keyOf(name: ObjectName | undefined): string {
  return name === undefined ? '' : `${name.namespace}/${name.name}`
}
