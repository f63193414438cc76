import { indexCluster } from './cluster/cluster-index.ts'
import { keyOf, waypointClass, waypoints } from './cluster/guarded.ts'
import type { ClusterView, EnvoyFilter, Gateway } from './cluster/view.ts'
import type { DoctorConfig, Finding, Rule } from './finding.ts'

const annotation = 'ambient.istio.io/xfcc-include-client-identity'
const metadataKeys = [
  'x-waypoint-peer-principal',
  'x-waypoint-local-principal',
  'x-waypoint-authority',
  'x-waypoint-service',
]
// The API documents `context: WAYPOINT`, but no istiod implements it (istio/istio#57971).
const contexts = new Set(['ANY', 'SIDECAR_INBOUND'])

/** Checks that the waypoint passes the caller's identity to Waywarden. */
export const identityRule: Rule = (cluster, config, catalog) => {
  if (config?.listeners.every(({ peer }) => peer === 'principal')) return [peerPrincipal()]
  return waypoints(cluster, catalog)
    .filter(({ className }) => className === waypointClass)
    .flatMap((gateway) => {
      const filters = cluster.envoyFilters.filter((filter) => isMeantFor(filter, gateway))
      return expectsMetadata(config, filters)
        ? metadataFindings(gateway, filters)
        : annotationFindings(cluster, gateway)
    })
}

function peerPrincipal(): Finding {
  return {
    id: 'peer_principal',
    severity: 'error',
    what: 'every listener takes the caller from `source.principal`, which is empty at an Istio waypoint',
    where: 'waywarden.yaml listeners',
    why: 'mTLS ends before the request is looked at, so every request is denied with `peer_missing`',
    fix: 'listeners: [{address: 0.0.0.0:9191, peer: xfcc, plaintext: behind-ztunnel}]',
  }
}

/** Without a configuration, an EnvoyFilter that delivers metadata shows the intention. */
function expectsMetadata(config: DoctorConfig | undefined, filters: readonly EnvoyFilter[]): boolean {
  if (config !== undefined) return config.listeners.every(({ peer }) => peer !== 'xfcc')
  return filters.some(({ patches }) => patches.some(isDelivering))
}

function isMeantFor({ namespace, gateways, patches }: EnvoyFilter, gateway: Gateway): boolean {
  const isNamed = gateways.length === 0 || gateways.includes(gateway.name)
  return (
    namespace === gateway.namespace && isNamed && patches.some(({ metadataKeys: keys }) => keys.length > 0)
  )
}

function isDelivering({ context, metadataKeys: keys }: EnvoyFilter['patches'][number]): boolean {
  return contexts.has(context) && metadataKeys.every((key) => keys.includes(key))
}

function metadataFindings(gateway: Gateway, filters: readonly EnvoyFilter[]): readonly Finding[] {
  const isAttached = ({ gateways, hasWorkloadSelector }: EnvoyFilter): boolean =>
    gateways.includes(gateway.name) && !hasWorkloadSelector
  if (filters.some((filter) => isAttached(filter) && filter.patches.some(isDelivering))) return []
  const [ignored] = filters
  const common = {
    severity: 'error' as const,
    why: 'this metadata contains the caller; without it every request is denied with `peer_missing`',
    fix: `kubectl apply -f istio/components/metadata/envoy-filter.yaml   # namespace ${gateway.namespace}, targetRefs: Gateway ${gateway.name}, context SIDECAR_INBOUND`,
  }
  if (ignored === undefined)
    return [
      {
        ...common,
        id: 'metadata_missing',
        what: 'no EnvoyFilter adds the caller to the metadata of the check',
        where: `Gateway ${keyOf(gateway)}`,
      },
    ]
  return [
    {
      ...common,
      id: 'metadata_ignored',
      what: `it needs \`targetRefs\` to the Gateway, no \`workloadSelector\`, the context SIDECAR_INBOUND or ANY, and the keys ${metadataKeys.join(', ')}`,
      where: `EnvoyFilter ${keyOf(ignored)}`,
    },
  ]
}

function annotationFindings(cluster: ClusterView, gateway: Gateway): readonly Finding[] {
  const own = gateway.annotations.get(annotation)
  const effective = (gateway.infrastructureAnnotations ?? gateway.annotations).get(annotation)
  const isIgnored = effective === undefined && own !== undefined
  const common = {
    severity: 'error' as const,
    where: `Gateway ${keyOf(gateway)}`,
    why: 'without it the waypoint does not send the caller, and every request is denied with `peer_missing`',
  }
  if (effective === undefined) {
    const { id, what } = isIgnored
      ? ({
          id: 'annotation_ignored',
          what: 'the annotation is in `metadata`, which Istio ignores because `spec.infrastructure.annotations` is set',
        } as const)
      : ({ id: 'annotation_missing', what: `the annotation \`${annotation}\` is missing` } as const)
    return [{ ...common, id, what, fix: annotate(gateway) }]
  }
  if (effective.toLowerCase() !== 'true') {
    const what = `the annotation \`${annotation}\` is \`${effective}\`; only \`true\` counts`
    return [{ ...common, id: 'annotation_value', what, fix: annotate(gateway) }]
  }
  const pending = podsOf(cluster, gateway).filter(
    ({ podAnnotations }) => podAnnotations.get(annotation)?.toLowerCase() !== 'true',
  )
  const [pod] = pending
  if (pod === undefined) return []
  return [
    {
      ...common,
      id: 'annotation_pending',
      what: `${pending.length} running ${pending.length === 1 ? 'pod does' : 'pods do'} not have the annotation of the Gateway`,
      where: `Pod ${keyOf(pod)}`,
      fix: `kubectl -n ${gateway.namespace} rollout restart deployment/${gateway.name}\n# and see that istiod runs without ENABLE_GATEWAY_API_COPY_LABELS_ANNOTATIONS=false`,
    },
  ]
}

/** Returns the pods that Istio runs for a Gateway. */
export function podsOf(cluster: ClusterView, { namespace, name }: Gateway): ClusterView['workloads'] {
  const selector = new Map([['gateway.networking.k8s.io/gateway-name', name]])
  return indexCluster(cluster)
    .workloads.select(namespace, selector)
    .filter(({ kind }) => kind === 'Pod')
}

function annotate({ namespace, name, infrastructureAnnotations }: Gateway): string {
  if (infrastructureAnnotations === undefined)
    return `kubectl -n ${namespace} annotate gateway ${name} --overwrite ${annotation}=true`
  const patch = { spec: { infrastructure: { annotations: { [annotation]: 'true' } } } }
  return `kubectl -n ${namespace} patch gateway ${name} --type merge -p '${JSON.stringify(patch)}'`
}
