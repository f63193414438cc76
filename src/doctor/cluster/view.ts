import { indexByLabels } from '../../authoring/label-index.ts'
import {
  at,
  type KubeObject,
  type Labels,
  labelsAt,
  listAt,
  textAt,
  textsAt,
} from '../../base/document/kube-object.ts'
import { toCanonicalName } from '../../base/http/address.ts'
import { toCanonicalIp } from '../../base/http/ip-address.ts'
import { type AuthorizationPolicy, toAuthorizationPolicy } from './authorization-policy.ts'
import { type Mesh, toMesh } from './mesh.ts'
import { type NetworkPolicy, toNetworkPolicy } from './network-policy.ts'
import { type Condition, conditionsOf, readyPodOf, readyReplicasOf } from './status.ts'

/** The objects of a cluster, parsed once. The rules read nothing else. */
export type ClusterView = {
  readonly mesh: Mesh
  readonly namespaces: ReadonlyMap<string, Labels>
  readonly gateways: readonly Gateway[]
  readonly policies: readonly AuthorizationPolicy[]
  readonly peerAuthentications: readonly PeerAuthentication[]
  readonly envoyFilters: readonly EnvoyFilter[]
  readonly services: readonly KubeService[]
  readonly serviceEntries: readonly ServiceEntry[]
  readonly workloads: readonly Workload[]
  readonly networkPolicies: readonly NetworkPolicy[]
}

type Named = Pick<KubeObject, 'namespace' | 'name' | 'labels' | 'annotations'>

export type Gateway = Named & {
  readonly conditions: readonly Condition[]
  readonly className: string
  readonly serviceAccount: string
  /** If true, Istio copies no annotation from the Gateway's metadata to its pods. */
  readonly infrastructureAnnotations: Labels | undefined
  /** Other namespaces that may use it: the `allowedRoutes.namespaces` of its listeners. */
  readonly allows: readonly { readonly from: string; readonly labels: Labels | undefined }[]
}

export type PeerAuthentication = Named & {
  readonly selector: Labels | undefined
  readonly mode: string | undefined
  readonly portModes: Labels
}

export type EnvoyFilter = Named & {
  readonly conditions: readonly Condition[]
  readonly gateways: readonly string[]
  /** A waypoint ignores a filter that has a workload selector. */
  readonly hasWorkloadSelector: boolean
  readonly patches: readonly { readonly context: string; readonly metadataKeys: readonly string[] }[]
}

export type KubeService = Named & {
  /** True for a headless Service and for `ExternalName`. */
  readonly hasNoVip: boolean
  readonly addresses: readonly string[]
  readonly selector: Labels | undefined
  readonly ports: readonly KubePort[]
}

/** A port of a Service; name, `protocol` and `appProtocol` tell the protocol. */
export type KubePort = {
  readonly port: string
  readonly targetPort: string
  readonly name: string | undefined
  readonly protocol: string | undefined
  readonly appProtocol: string | undefined
}

export type ServiceEntry = Named & {
  readonly hosts: readonly string[]
  readonly addresses: readonly string[]
}

/** A Deployment or a pod: both name image and service account. */
export type Workload = Named & {
  readonly kind: 'Deployment' | 'Pod'
  /** True for a pod whose Deployment is in the view too. */
  readonly isOwned: boolean
  /** The number of pods it asks for, 1 for a pod; `undefined` if an autoscaler has not set it yet. */
  readonly replicas: number | undefined
  /** The number of ready pods in its `status`; `undefined` without a `status`, as in a file. */
  readonly readyReplicas: number | undefined
  readonly conditions: readonly Condition[]
  /** True if an update starts a new pod before it ends the old one. */
  readonly surges: boolean
  readonly podLabels: Labels
  readonly podAnnotations: Labels
  readonly serviceAccount: string
  readonly isHostNetwork: boolean
  readonly containers: readonly {
    readonly image: string
    readonly env: Labels
    readonly ports: readonly { readonly name: string; readonly port: string }[]
  }[]
}

/** Maps Kubernetes objects to the view. Other kinds are skipped. */
export function toClusterView(objects: readonly KubeObject[]): ClusterView {
  const of = <T>(kind: string, map: (object: KubeObject) => T): readonly T[] =>
    objects.filter((object) => object.kind === kind).map(map)
  return {
    mesh: toMesh(objects),
    namespaces: new Map(of('Namespace', ({ name, labels }) => [name, labels])),
    gateways: of('Gateway', toGateway).filter(({ className }) => className !== ''),
    policies: of('AuthorizationPolicy', toAuthorizationPolicy),
    peerAuthentications: of('PeerAuthentication', toPeerAuthentication),
    envoyFilters: of('EnvoyFilter', toEnvoyFilter),
    services: of('Service', toService),
    serviceEntries: of('ServiceEntry', (object) => ({
      ...object,
      hosts: textsAt(object.body, 'spec', 'hosts').map(toCanonicalName),
      addresses: [
        ...textsAt(object.body, 'spec', 'addresses'),
        ...listAt(object.body, 'status', 'addresses').flatMap((address) => textAt(address, 'value') ?? []),
      ].map(toCanonicalIp),
    })),
    workloads: toWorkloads(of('Deployment', toDeployment), of('Pod', toPod)),
    networkPolicies: of('NetworkPolicy', toNetworkPolicy),
  }
}

/** True if labels match a selector. A missing or empty selector matches everything. */
export function matches(selector: Labels | undefined, labels: Labels): boolean {
  return [...(selector ?? [])].every(([name, value]) => labels.get(name) === value)
}

function toGateway(object: KubeObject): Gateway {
  const { body, name, annotations } = object
  return {
    ...object,
    conditions: conditionsOf(body),
    className: textAt(body, 'spec', 'gatewayClassName') ?? '',
    serviceAccount: annotations.get('gateway.istio.io/service-account') ?? name,
    infrastructureAnnotations: labelsAt(body, 'spec', 'infrastructure', 'annotations'),
    allows: listAt(body, 'spec', 'listeners').map((listener) => ({
      from: textAt(listener, 'allowedRoutes', 'namespaces', 'from') ?? 'Same',
      labels: labelsAt(listener, 'allowedRoutes', 'namespaces', 'selector', 'matchLabels'),
    })),
  }
}

function toPeerAuthentication(object: KubeObject): PeerAuthentication {
  const { body } = object
  const ports = at(body, 'spec', 'portLevelMtls')
  return {
    ...object,
    selector: labelsAt(body, 'spec', 'selector', 'matchLabels'),
    mode: textAt(body, 'spec', 'mtls', 'mode'),
    portModes: new Map(
      [...(labelsAt(ports) ?? new Map()).keys()].map((port) => [port, textAt(ports, port, 'mode') ?? '']),
    ),
  }
}

function toEnvoyFilter(object: KubeObject): EnvoyFilter {
  const { body } = object
  return {
    ...object,
    conditions: conditionsOf(body),
    gateways: listAt(body, 'spec', 'targetRefs')
      .filter((target) => textAt(target, 'kind') === 'Gateway')
      .flatMap((target) => textAt(target, 'name') ?? []),
    hasWorkloadSelector: at(body, 'spec', 'workloadSelector') !== undefined,
    patches: listAt(body, 'spec', 'configPatches').map((patch) => ({
      context: textAt(patch, 'match', 'context') ?? 'ANY',
      metadataKeys: listAt(
        patch,
        'patch',
        'value',
        'typed_config',
        'grpc_service',
        'initial_metadata',
      ).flatMap((entry) => textAt(entry, 'key') ?? []),
    })),
  }
}

function toService(object: KubeObject): KubeService {
  const { body } = object
  const addresses = [...textsAt(body, 'spec', 'clusterIPs'), textAt(body, 'spec', 'clusterIP') ?? '']
  return {
    ...object,
    hasNoVip: addresses.includes('None') || textAt(body, 'spec', 'type') === 'ExternalName',
    addresses: [...new Set(addresses.map(toCanonicalIp))].filter(
      (address) => address !== '' && address !== 'None',
    ),
    selector: labelsAt(body, 'spec', 'selector'),
    ports: listAt(body, 'spec', 'ports').map((port) => ({
      port: textAt(port, 'port') ?? '',
      targetPort: textAt(port, 'targetPort') ?? textAt(port, 'port') ?? '',
      name: textAt(port, 'name'),
      protocol: textAt(port, 'protocol'),
      appProtocol: textAt(port, 'appProtocol'),
    })),
  }
}

function toDeployment(object: KubeObject): Workload {
  const spec = at(object.body, 'spec')
  const [replicas, maxSurge] = [at(spec, 'replicas'), textAt(spec, 'strategy', 'rollingUpdate', 'maxSurge')]
  return {
    ...object,
    kind: 'Deployment',
    isOwned: false,
    replicas: typeof replicas === 'number' ? replicas : undefined,
    readyReplicas: readyReplicasOf(object.body),
    conditions: conditionsOf(object.body),
    surges: textAt(spec, 'strategy', 'type') !== 'Recreate' && !['0', '0%'].includes(maxSurge ?? ''),
    ...toPodParts(at(spec, 'template')),
  }
}

function toPod(object: KubeObject): Workload {
  const { body } = object
  const status = { readyReplicas: readyPodOf(body), conditions: conditionsOf(body) }
  return {
    ...object,
    kind: 'Pod',
    isOwned: false,
    replicas: 1,
    surges: false,
    ...status,
    ...toPodParts(body),
  }
}

function toWorkloads(deployments: readonly Workload[], pods: readonly Workload[]): readonly Workload[] {
  const index = indexByLabels(pods, {
    namespaceOf: ({ namespace }) => namespace,
    labelsOf: ({ podLabels }) => podLabels,
  })
  const owners = deployments.filter(({ podLabels }) => podLabels.size > 0)
  const lists = new Set(owners.map(({ namespace, podLabels }) => index.select(namespace, podLabels)))
  const owned = new Set([...lists].flat())
  return [...deployments, ...pods.map((pod) => ({ ...pod, isOwned: owned.has(pod) }))]
}

function toPodParts(
  pod: unknown,
): Pick<Workload, 'podLabels' | 'podAnnotations' | 'serviceAccount' | 'isHostNetwork' | 'containers'> {
  return {
    podLabels: labelsAt(pod, 'metadata', 'labels') ?? new Map(),
    podAnnotations: labelsAt(pod, 'metadata', 'annotations') ?? new Map(),
    serviceAccount: textAt(pod, 'spec', 'serviceAccountName') ?? 'default',
    isHostNetwork: at(pod, 'spec', 'hostNetwork') === true,
    containers: listAt(pod, 'spec', 'containers').map((container) => ({
      image: textAt(container, 'image') ?? '',
      env: new Map(
        listAt(container, 'env').map((variable) => [
          textAt(variable, 'name') ?? '',
          textAt(variable, 'value') ?? '',
        ]),
      ),
      ports: listAt(container, 'ports').map((port) => ({
        name: textAt(port, 'name') ?? '',
        port: textAt(port, 'containerPort') ?? '',
      })),
    })),
  }
}
