import { listFew } from '../base/text/few.ts'
import type { AuthorizationPolicy } from './cluster/authorization-policy.ts'
import { indexCluster, targetKey } from './cluster/cluster-index.ts'
import { askingPolicies, keyOf, ownName, ownProviders, waypointClass, waypoints } from './cluster/guarded.ts'
import type { ClusterView, Gateway } from './cluster/view.ts'
import type { Finding, Rule } from './finding.ts'

const multipleProviders = 'PILOT_ENABLE_MULTIPLE_CUSTOM_AUTHZ_PROVIDERS'

/** Checks that every waypoint asks Waywarden, and only Waywarden, about every request. */
export const policyRule: Rule = (cluster, _, catalog) => {
  const asking = askingPolicies(cluster)
  const gateways = waypoints(cluster, catalog).filter(({ className }) => className === waypointClass)
  return [
    ...asking.flatMap((policy) => shapeFindings(policy, cluster)),
    ...unknownProviders(cluster),
    ...attachmentFindings(gateways, asking, cluster),
    ...severalProviders(cluster, gateways),
  ]
}

function shapeFindings(policy: AuthorizationPolicy, cluster: ClusterView): readonly Finding[] {
  const common = { severity: 'error' as const, where: `AuthorizationPolicy ${keyOf(policy)}` }
  if (policy.targets.length === 0)
    return [
      {
        ...common,
        id: 'policy_selector',
        what: `it has ${policy.selector === undefined ? 'no `targetRefs`' : 'a `selector` instead of `targetRefs`'}`,
        why: 'a waypoint ignores such a policy and ztunnel ignores CUSTOM, so Waywarden is not asked',
        fix: targetRefs('waypoint'),
      },
    ]
  if (policy.rules === undefined || policy.rules.length === 0)
    return [
      {
        ...common,
        id: 'policy_rules_missing',
        what: 'it has no rules, so it never applies',
        why: 'Waywarden is not asked about any request',
        fix: 'rules: [{}]',
      },
    ]
  if (isDangling(policy, cluster))
    return [
      {
        ...common,
        id: 'policy_not_attached',
        what: `nothing in namespace ${policy.namespace} is ${policy.targets.map(({ kind, name }) => `${kind} ${name}`).join(' or ')}`,
        why: 'a policy attaches to a Gateway, Service or ServiceEntry of its own namespace, and to a GatewayClass from the root namespace only',
        fix: `put the policy into the namespace of the waypoint, with\n${targetRefs('waypoint')}`,
      },
    ]
  const isWhole = policy.rules.some(
    ({ sources, operations, hasConditions }) =>
      sources.length === 0 && operations.length === 0 && !hasConditions,
  )
  if (isWhole) return []
  return [
    {
      ...common,
      id: 'policy_partial',
      severity: 'warning',
      what: 'its rules do not match every request',
      why: 'other requests pass without Waywarden: no judgement, no record, and forged chains are not removed',
      fix: 'rules: [{}]',
    },
  ]
}

function isDangling({ namespace, targets }: AuthorizationPolicy, cluster: ClusterView): boolean {
  const isClass = ({ kind, name }: AuthorizationPolicy['targets'][number]): boolean =>
    kind === 'GatewayClass' && namespace === cluster.mesh.rootNamespace && name === waypointClass
  const known = indexCluster(cluster).targets
  return !targets.some(
    (target) => known.has(targetKey(target.kind, namespace, target.name)) || isClass(target),
  )
}

function unknownProviders(cluster: ClusterView): readonly Finding[] {
  const { providerNames } = cluster.mesh
  if (ownProviders(cluster).length === 0) return []
  return cluster.policies
    .filter(({ action, provider }) => action === 'CUSTOM' && !providerNames.has(provider ?? ''))
    .map((policy) => ({
      id: 'provider_unknown' as const,
      severity: 'error' as const,
      what: `it names the provider \`${policy.provider ?? ''}\`; the mesh has ${[...providerNames].map((name) => `\`${name}\``).join(', ')}`,
      where: `AuthorizationPolicy ${keyOf(policy)}`,
      why: 'the waypoint denies everything that the policy matches',
      fix: `provider: {name: ${ownProviders(cluster)[0]?.name ?? ownName}}`,
    }))
}

function attachmentFindings(
  gateways: readonly Gateway[],
  asking: readonly AuthorizationPolicy[],
  cluster: ClusterView,
): readonly Finding[] {
  const isAsking = new Set(asking)
  // A policy that was intended for a waypoint has a finding of its own.
  const faulty = asking.filter((policy) =>
    shapeFindings(policy, cluster).some(({ severity }) => severity === 'error'),
  )
  const meantNamespaces = new Set(faulty.map(({ namespace }) => namespace))
  const meantNames = new Set(
    faulty.flatMap(({ targets }) => targets.flatMap(({ kind, name }) => (kind === 'Gateway' ? [name] : []))),
  )
  const byService = listFew(
    asking.filter(({ targets }) => targets.some(({ kind }) => kind.startsWith('Service'))).map(keyOf),
  )
  return gateways
    .filter(
      (gateway) =>
        !attachedPolicies(cluster, gateway).some((policy) => isAsking.has(policy)) &&
        !meantNamespaces.has(gateway.namespace) &&
        !meantNames.has(gateway.name),
    )
    .map((gateway) => notAsking(gateway, byService))
}

/** `services` are the policies that ask for single Services. */
function notAsking(gateway: Gateway, services: string): Finding {
  const common = {
    severity: 'error' as const,
    where: `Gateway ${keyOf(gateway)}`,
    fix: `kubectl -n ${gateway.namespace} apply -f istio/mesh/ask-waywarden.yaml   # ${targetRefs(gateway.name).replaceAll('\n', ' ')}`,
  }
  if (services !== '')
    return {
      ...common,
      id: 'policy_service_only',
      what: `Waywarden is asked for single Services only (${services})`,
      why: "calls to a pod's own address, and to any other Service, pass the waypoint unasked",
    }
  return {
    ...common,
    id: 'policy_missing',
    what: 'no AuthorizationPolicy asks Waywarden here',
    why: 'everything that goes through this waypoint passes unasked',
  }
}

/** Returns the policies that are attached to a waypoint or to its class. */
export function attachedPolicies(cluster: ClusterView, gateway: Gateway): readonly AuthorizationPolicy[] {
  const { policiesByTarget } = indexCluster(cluster)
  const { namespace, name, className } = gateway
  const own = policiesByTarget.get(targetKey('Gateway', namespace, name)) ?? []
  const ofClass = policiesByTarget.get(targetKey('GatewayClass', cluster.mesh.rootNamespace, className)) ?? []
  return [...new Set([...own, ...ofClass])]
}

function severalProviders(cluster: ClusterView, gateways: readonly Gateway[]): readonly Finding[] {
  const isAllowed = cluster.workloads.some(
    ({ podLabels, containers }) =>
      podLabels.get('app') === 'istiod' &&
      containers.some(({ env }) => env.get(multipleProviders)?.toLowerCase() === 'true'),
  )
  if (isAllowed) return []
  return gateways.flatMap((gateway) => {
    const policies = attachedPolicies(cluster, gateway).filter(
      ({ action, provider }) => action === 'CUSTOM' && cluster.mesh.providerNames.has(provider ?? ''),
    )
    const names = [...new Set(policies.map(({ provider }) => provider))]
    if (names.length < 2) return []
    return [
      {
        id: 'several_providers' as const,
        severity: 'error' as const,
        what: `policies of several providers are attached: ${policies.map((policy) => `${keyOf(policy)} (${policy.provider})`).join(', ')}`,
        where: `Gateway ${keyOf(gateway)}`,
        why: 'Istio takes one provider for a workload; with more it denies everything that they match',
        fix: `keep one, or on istiod 1.30 and later: kubectl -n ${cluster.mesh.rootNamespace} set env deployment/istiod ${multipleProviders}=true`,
      },
    ]
  })
}

function targetRefs(name: string): string {
  return `targetRefs:\n- {group: gateway.networking.k8s.io, kind: Gateway, name: ${name}}`
}
