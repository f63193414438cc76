import { groupBy } from '../base/collections/group-by.ts'
import { allowYaml, turnedAway } from './allow.ts'
import { explainOpening, findShutOut, type Guarded, isAmbient, mtlsModes } from './cluster/access.ts'
import { type Account, type Located, locate, waypointAccounts, workloadsOf } from './cluster/guarded.ts'
import type { ClusterView } from './cluster/view.ts'
import type { DoctorConfig, Finding, Rule } from './finding.ts'

/** Finds services that a workload can reach without the waypoint. One finding of a kind for each namespace. */
export const bypassRule: Rule = (cluster, config, catalog) => {
  const located = locate(cluster, catalog).filter(({ identity }) => identity !== undefined)
  const byNamespace = groupBy(located, ({ identity }) => identity?.namespace ?? '')
  return [...byNamespace].flatMap(([namespace, services]) =>
    namespaceFindings(cluster, config, namespace, services),
  )
}

function namespaceFindings(
  cluster: ClusterView,
  config: DoctorConfig | undefined,
  namespace: string,
  services: readonly Located[],
): readonly Finding[] {
  const where = `Namespace ${namespace}`
  const guarded = services.map((located) => ({ located, pods: toGuarded(cluster, namespace, located) }))
  const outside = guarded.filter(({ pods }) => !isAmbient(cluster, pods))
  if (outside.length > 0) {
    const names = outside.map(({ located }) => located.service.name).join(', ')
    return [notAmbient(where, namespace, names)]
  }
  const openings = guarded.flatMap(({ located, pods }) => {
    const opening = explainOpening(cluster, pods, waypointAccounts(cluster, [located.waypoint]))
    return opening === undefined ? [] : [{ name: located.service.name, opening }]
  })
  const lax = guarded.filter(({ pods }) => mtlsModes(cluster, pods).some((mode) => mode !== 'STRICT'))
  const findings: Finding[] = []
  if (openings.length > 0) {
    const waypoints = waypointAccounts(
      cluster,
      services.map(({ waypoint }) => waypoint),
    )
    findings.push({
      id: 'bypass_open',
      // In observe mode Waywarden refuses nothing, so there is nothing to bypass.
      severity: openings.every(({ name }) => isObserved(name, config)) ? 'warning' : 'error',
      what: `${openings.map(({ name }) => name).join(', ')} can be called around the waypoint, because ${[...new Set(openings.map(({ opening }) => opening))].join(' and ')}`,
      where,
      why: 'ztunnel does not force traffic through a waypoint; direct calls to the pod are not judged',
      fix: `kubectl apply -f - <<'EOF'\n${allowYaml({ namespace, name: 'only-waypoint' }, waypoints)}\nEOF`,
    })
  }
  const [turned] = guarded.filter(({ located, pods }) => missingOf(cluster, pods, located).length > 0)
  if (turned !== undefined && openings.length === 0) {
    const why = 'the waypoint cannot reach the pods, whatever Waywarden says'
    findings.push(turnedAway(where, namespace, missingOf(cluster, turned.pods, turned.located), why))
  }
  if (lax.length > 0)
    findings.push({
      id: 'mtls_not_strict',
      severity: 'warning',
      what: `${lax.map(({ located }) => located.service.name).join(', ')}: mutual TLS is not STRICT`,
      where,
      why: 'plain text carries no identity; only an ALLOW policy, if there is one, protects the pod',
      fix: `kubectl -n ${namespace} apply -f istio/guard/strict.yaml   # PeerAuthentication, spec: {mtls: {mode: STRICT}}`,
    })
  return findings
}

function missingOf(cluster: ClusterView, pods: Guarded, { waypoint }: Located): readonly Account[] {
  return findShutOut(cluster, pods, waypointAccounts(cluster, [waypoint]))
}

function isObserved(service: string, config: DoctorConfig | undefined): boolean {
  return config?.observe !== undefined && (config.observe.services?.includes(service) ?? true)
}

function toGuarded(cluster: ClusterView, namespace: string, { identity, kube, service }: Located): Guarded {
  const [pod] = identity === undefined ? [] : workloadsOf(cluster, identity).filter(({ isOwned }) => !isOwned)
  const asked = new Set(service.addresses.map(({ port }) => String(port)))
  const targets = (kube?.ports ?? [])
    .filter(({ port }) => asked.has(port))
    .map(({ targetPort }) => targetPort)
  const ports = targets.map((target) => {
    if (/^\d+$/.test(target)) return target
    return pod?.containers.flatMap((container) => container.ports).find(({ name }) => name === target)?.port
  })
  const isKnown = ports.every((port) => port !== undefined)
  return { namespace, labels: pod?.podLabels ?? new Map(), ports: isKnown ? ports : [] }
}

function notAmbient(where: string, namespace: string, names: string): Finding {
  return {
    id: 'not_ambient',
    severity: 'error',
    what: `ztunnel does not capture ${names}`,
    where,
    why: 'calls have no proven caller, go around the waypoint, and no L4 policy is enforced',
    fix: `kubectl label namespace ${namespace} istio.io/dataplane-mode=ambient --overwrite`,
  }
}
