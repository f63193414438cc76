import { isLoopback } from '../base/http/loopback.ts'
import { keyOf, ownName, ownProviders, workloadsBehind } from './cluster/guarded.ts'
import { type Provider, serviceOfProvider, toMs } from './cluster/mesh.ts'
import { isSame, toNumber } from './cluster/reach.ts'
import type { ClusterView, Workload } from './cluster/view.ts'
import type { DoctorConfig, Finding, Rule } from './finding.ts'

// Istio's own `validateProviderName` (1.30).
const namePattern = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
const maxTimeoutMs = 1000
const fixedProvider =
  'helm upgrade istiod istio/istiod -n istio-system --reuse-values -f istio/mesh-config.yaml'

/** Checks that the mesh asks Waywarden, and refuses soon if Waywarden does not answer. */
export const providerRule: Rule = (cluster, config) => {
  const own = ownProviders(cluster)
  if (own.length === 0)
    return [
      {
        id: 'provider_missing',
        severity: 'error',
        what: `the mesh configuration has no gRPC authorizer \`${ownName}\``,
        where: `ConfigMap ${cluster.mesh.rootNamespace}/istio`,
        why: 'a policy with an unknown provider denies everything, and without a policy Waywarden is not asked',
        fix: fixedProvider,
      },
    ]
  return own.flatMap((provider) => [
    ...nameFindings(provider),
    ...failureFindings(provider),
    ...timeoutFindings(provider, config),
    ...serviceFindings(provider, cluster),
    ...listenerFindings(provider, cluster, config),
  ])
}

function nameFindings({ name, where }: Provider): readonly Finding[] {
  if (namePattern.test(name)) return []
  return [
    {
      id: 'provider_name',
      severity: 'error',
      what: `the provider is named \`${name}\`; Istio takes 1 to 63 of a-z, 0-9 and \`-\``,
      where,
      why: 'istiod 1.30 and later refuse the mesh configuration, so the waypoint denies everything or keeps the old one',
      fix: `extensionProviders: [{name: ${ownName}, …}]   # and the same name in every AuthorizationPolicy`,
    },
  ]
}

function failureFindings({ isFailOpen, statusOnError, where, name }: Provider): readonly Finding[] {
  const findings: Finding[] = []
  if (isFailOpen)
    findings.push({
      id: 'fail_open',
      severity: 'error',
      what: `provider \`${name}\` has \`failOpen: true\``,
      where,
      why: 'whenever Waywarden is slow, gone or overloaded, every request is let through unseen',
      fix: 'envoyExtAuthzGrpc: {failOpen: false}',
    })
  if (statusOnError !== undefined && !/^[45]\d\d$/.test(statusOnError))
    findings.push({
      id: 'status_on_error',
      severity: 'error',
      what: `provider \`${name}\` answers \`${statusOnError}\` when Waywarden does not`,
      where,
      why: 'clients treat any status below 400 as success; an invalid status makes istiod refuse the provider',
      fix: 'envoyExtAuthzGrpc: {statusOnError: "403"}',
    })
  return findings
}

function timeoutFindings(
  { timeout, where, name }: Provider,
  config: DoctorConfig | undefined,
): readonly Finding[] {
  const fix = 'envoyExtAuthzGrpc: {timeout: 250ms}'
  if (timeout === undefined)
    return [
      {
        id: 'timeout_missing',
        severity: 'error',
        what: `provider \`${name}\` has no \`timeout\`; Istio's default is 600 s`,
        where,
        why: 'one Waywarden that hangs holds every request for ten minutes instead of denying it',
        fix,
      },
    ]
  const ms = toMs(timeout) ?? Number.POSITIVE_INFINITY
  if (ms > maxTimeoutMs)
    return [
      {
        id: 'timeout_long',
        severity: 'error',
        what: `provider \`${name}\` waits \`${timeout}\`; more than 1 s is longer than callers wait`,
        where,
        why: 'if Waywarden hangs, its callers hang too',
        fix,
      },
    ]
  if (config === undefined || ms > config.deadlineMs) return []
  return [
    {
      id: 'timeout_short',
      severity: 'error',
      what: `provider \`${name}\` waits \`${timeout}\`, and Waywarden's own deadline is ${config.deadlineMs} ms`,
      where,
      why: 'Envoy times out first: callers get a bare 403 without code and decision id, which differs from the record',
      fix,
    },
  ]
}

function serviceFindings(provider: Provider, cluster: ClusterView): readonly Finding[] {
  const wanted = serviceOfProvider(provider)
  const service = cluster.services.find(
    ({ namespace, name }) => namespace === wanted.namespace && name === wanted.name,
  )
  const common = { id: 'provider_service' as const, severity: 'error' as const }
  if (service === undefined)
    return [
      {
        ...common,
        what: `provider \`${provider.name}\` points at \`${provider.service}\`, and there is no such Service`,
        where: provider.where,
        why: 'the waypoint denies everything that the policy matches',
        fix: 'envoyExtAuthzGrpc: {service: waywarden.waywarden.svc.cluster.local, port: 9191}',
      },
    ]
  const where = `Service ${service.namespace}/${service.name}`
  if (service.hasNoVip)
    return [
      {
        ...common,
        what: 'it has no cluster IP of its own (headless, or ExternalName)',
        where,
        why: 'a waypoint sends checks for such a Service to where the request was going, not to Waywarden',
        fix: `kubectl -n ${service.namespace} delete service ${service.name} && kubectl apply -k istio/overlays/enforce   # without \`clusterIP: None\``,
      },
    ]
  if (service.ports.some(({ port }) => port === provider.port)) return []
  return [
    {
      ...common,
      what: `provider \`${provider.name}\` asks port ${provider.port ?? '(none)'}; the Service has ${service.ports.map(({ port }) => port).join(', ') || 'none'}`,
      where: provider.where,
      why: 'no check arrives, and everything is denied with an empty body',
      fix: `envoyExtAuthzGrpc: {port: ${service.ports[0]?.port ?? '9191'}}`,
    },
  ]
}

/** Checks that the port that waypoints ask leads to a listener and to a pod. */
function listenerFindings(
  provider: Provider,
  cluster: ClusterView,
  config: DoctorConfig | undefined,
): readonly Finding[] {
  const wanted = serviceOfProvider(provider)
  const service = cluster.services.find((one) => isSame(one, wanted))
  const port = service?.ports.find((one) => one.port === provider.port)
  if (service === undefined || port === undefined) return []
  const workloads = workloadsBehind(cluster, service).filter(({ isOwned }) => !isOwned)
  const absent = workloads.length > 0 && workloads.every(({ replicas }) => replicas === 0)
  const target = toNumber(port.targetPort, workloads[0])
  return [
    ...(absent ? [noReplicas(workloads[0])] : []),
    ...(config === undefined || target === undefined ? [] : portFindings(provider, target, config)),
  ]
}

function portFindings(provider: Provider, target: string, config: DoctorConfig): readonly Finding[] {
  // A proxy in the pod leads to a Unix socket. Its port is unknown here.
  const mayBeReached = config.listeners.some(
    ({ address = '', port }) => port === undefined || (String(port) === target && !isLoopback(address)),
  )
  if (mayBeReached) return []
  const found = config.listeners.map(({ address, port }) => [address, port].filter(Boolean).join(':'))
  return [
    {
      id: 'provider_port',
      severity: 'error',
      what: `provider \`${provider.name}\` leads to port ${target} of the pods, and waywarden.yaml listens on ${found.join(', ')}`,
      where: 'waywarden.yaml listeners',
      why: 'no check arrives, and everything is denied with an empty body',
      fix: `listeners: [{address: 0.0.0.0:${target}, …}]   # or another targetPort in the Service`,
    },
  ]
}

function noReplicas(workload: Workload | undefined): Finding {
  return {
    id: 'no_replicas',
    severity: 'error',
    what: 'it is scaled to 0',
    where: `Deployment ${keyOf(workload)}`,
    why: 'the waypoints get no answer, so everything is denied with an empty body',
    fix: `kubectl -n ${workload?.namespace} scale deployment/${workload?.name} --replicas=3`,
  }
}
