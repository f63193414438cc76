import { find, findWorkload } from './mesh-findings.ts'
import { at, items, type Json, type KubeObject } from './rendered.ts'

/** Finds faults of the pods: unsafe, unavailable or unobserved; empty if there is none. */
export function findPodFaults(objects: readonly KubeObject[]): readonly string[] {
  const workload = findWorkload(objects)
  const template = at(workload, 'spec', 'template')
  const pod = at(template, 'spec')
  const container = at(pod, 'containers', 0)
  return [
    ...privilegeFaults(pod, container),
    ...lifetimeFaults(objects, at(workload, 'kind'), pod, container),
    ...selectorFaults(objects, at(template, 'metadata', 'labels')),
    ...scrapeFaults(at(template, 'metadata', 'annotations'), container),
  ]
}

function privilegeFaults(pod: Json, container: Json): readonly string[] {
  const own = at(container, 'securityContext')
  const isRestricted =
    at(pod, 'securityContext', 'runAsNonRoot') === true &&
    at(pod, 'securityContext', 'seccompProfile', 'type') === 'RuntimeDefault' &&
    at(own, 'allowPrivilegeEscalation') === false &&
    items(at(own, 'capabilities', 'drop')).includes('ALL')
  return [
    ...(isRestricted ? [] : ['unrestricted']),
    ...(at(own, 'readOnlyRootFilesystem') === true ? [] : ['root_writable']),
    ...(at(pod, 'automountServiceAccountToken') === false ? [] : ['token_mounted']),
    ...(at(pod, 'hostNetwork') === undefined ? [] : ['not_captured']),
  ]
}

function lifetimeFaults(
  objects: readonly KubeObject[],
  kind: Json,
  pod: Json,
  container: Json,
): readonly string[] {
  const scaler = find(objects, 'HorizontalPodAutoscaler', 'waywarden', 'waywarden')
  const budget = find(objects, 'PodDisruptionBudget', 'waywarden', 'waywarden')
  const spread = items(at(pod, 'topologySpreadConstraints')).map((item) => at(item, 'topologyKey'))
  const probes = ['startupProbe', 'readinessProbe', 'livenessProbe'].map((name) =>
    at(container, name, 'httpGet', 'port'),
  )
  const preStopSeconds = Number(at(container, 'lifecycle', 'preStop', 'sleep', 'seconds') ?? 0)
  // `drain` and the grace of what is in flight, 5 s each, come after preStop.
  const isDrained =
    preStopSeconds > 0 && Number(at(pod, 'terminationGracePeriodSeconds')) > preStopSeconds + 10
  return [
    ...(Number(at(scaler, 'spec', 'minReplicas')) >= 3 ? [] : ['few_replicas']),
    ...(at(scaler, 'spec', 'scaleTargetRef', 'kind') === kind ? [] : ['scaler_misses']),
    ...(at(budget, 'spec', 'maxUnavailable') === 1 ? [] : ['no_budget']),
    ...(spread.includes('kubernetes.io/hostname') ? [] : ['not_spread']),
    ...(probes.every((port) => port === 'http-admin') ? [] : ['probe_port']),
    ...(isDrained ? [] : ['not_drained']),
  ]
}

function selectorFaults(objects: readonly KubeObject[], labels: Json): readonly string[] {
  const selectors: readonly (readonly [string, readonly string[]])[] = [
    [String(at(findWorkload(objects), 'kind')), ['spec', 'selector', 'matchLabels']],
    ['Service', ['spec', 'selector']],
    ['PodDisruptionBudget', ['spec', 'selector', 'matchLabels']],
    ['NetworkPolicy', ['spec', 'podSelector', 'matchLabels']],
    ['AuthorizationPolicy', ['spec', 'selector', 'matchLabels']],
    ['PeerAuthentication', ['spec', 'selector', 'matchLabels']],
  ]
  const isMissed = selectors.some(([kind, path]) => {
    const wanted = at(find(objects, kind, 'waywarden', 'waywarden'), ...path)
    const pairs = typeof wanted === 'object' && wanted !== null ? Object.entries(wanted) : []
    return pairs.length === 0 || pairs.some(([key, value]) => at(labels, key) !== value)
  })
  return isMissed ? ['selector_misses'] : []
}

function scrapeFaults(annotations: Json, container: Json): readonly string[] {
  const admin = items(at(container, 'ports')).find((port) => at(port, 'name') === 'http-admin')
  const isScraped =
    at(annotations, 'prometheus.io/scrape') === 'true' &&
    at(annotations, 'prometheus.io/path') === '/metrics' &&
    at(annotations, 'prometheus.io/port') === String(at(admin, 'containerPort'))
  return isScraped ? [] : ['not_scraped']
}
