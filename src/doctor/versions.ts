import { keyOf, waypoints } from './cluster/guarded.ts'
import type { Workload } from './cluster/view.ts'
import type { Finding, Rule } from './finding.ts'
import { podsOf } from './identity.ts'

type Version = readonly [major: number, minor: number, patch: number]

const annotationSince: Version = [1, 30, 0]
// istio/istio#59513: connections were pooled although their shared filter state differed.
const mixUpFixed: Version = [1, 29, 2]
// ISTIO-SECURITY-2026-006 and -007.
const advisoriesFixed: readonly Version[] = [
  [1, 29, 9],
  [1, 30, 4],
]

/** Checks that istiod and the waypoints have no known fault that lets a caller take another identity. */
export const versionRule: Rule = (cluster, config, catalog) => {
  const usesAnnotation = config?.listeners.some(({ peer }) => peer === 'xfcc') ?? true
  const istiods = cluster.workloads.filter(
    (workload) => workload.podLabels.get('app') === 'istiod' && !workload.isOwned,
  )
  const proxies = waypoints(cluster, catalog).flatMap((gateway) => podsOf(cluster, gateway))
  return [
    ...istiods.flatMap((workload) => istiodFindings(workload, usesAnnotation)),
    ...proxies.flatMap((workload) => proxyFindings(workload, usesAnnotation)),
    ...(istiods.length === 0 && cluster.gateways.length > 0 ? [unknownVersion('istiod', 'istiod')] : []),
  ]
}

function istiodFindings(workload: Workload, usesAnnotation: boolean): readonly Finding[] {
  const where = `${workload.kind} ${keyOf(workload)}`
  const version = versionOf(workload)
  if (version === undefined) return [unknownVersion(where, 'istiod')]
  if (!usesAnnotation || !isBefore(version, annotationSince)) return []
  return [
    {
      id: 'istiod_too_old',
      severity: 'error',
      what: `istiod is ${show(version)}; the waypoint sends the caller since 1.30.0`,
      where,
      why: 'an older istiod does not know the annotation: every request is denied with `peer_missing`',
      fix: 'upgrade istiod to 1.30.4 or later, or use istio/components/metadata and `peer: metadata`',
    },
  ]
}

function proxyFindings(pod: Workload, usesAnnotation: boolean): readonly Finding[] {
  const where = `Pod ${keyOf(pod)}`
  const version = versionOf(pod)
  if (version === undefined) return [unknownVersion(where, 'the waypoint')]
  const restart = `kubectl -n ${pod.namespace} rollout restart deployment/${pod.podLabels.get('gateway.networking.k8s.io/gateway-name') ?? ''}   # after istiod was upgraded`
  const common = { where, fix: restart }
  const findings: Finding[] = []
  if (isBefore(version, mixUpFixed))
    findings.push({
      ...common,
      id: 'proxy_mixes_identities',
      severity: 'error',
      what: `the waypoint is ${show(version)}; before 1.29.2 two callers may share one connection and one identity`,
      why: 'a request can be judged as another caller (istio/istio#58630)',
    })
  if (usesAnnotation && isBefore(version, annotationSince))
    findings.push({
      ...common,
      id: 'proxy_too_old',
      severity: 'error',
      what: `the waypoint is ${show(version)}; it sends the caller since 1.30.0`,
      why: 'every request is denied with `peer_missing`',
    })
  const isOutdated = advisoriesFixed.some((fixed) => fixed[1] === version[1] && isBefore(version, fixed))
  if (isOutdated && findings.length === 0)
    findings.push({
      ...common,
      id: 'proxy_outdated',
      severity: 'warning',
      what: `the waypoint is ${show(version)}, which lacks fixes of Envoy's authorization filters`,
      why: 'ISTIO-SECURITY-2026-006 and 2026-007: crashes, and paths and methods that rules do not see',
    })
  return findings
}

function unknownVersion(where: string, who: string): Finding {
  return {
    id: 'version_unknown',
    severity: 'warning',
    what: `the version of ${who} cannot be told from labels, environment or image`,
    where,
    why: 'before 1.30.0 callers are unknown, before 1.29.2 they may be mixed up',
    fix: 'istioctl version   # and see that all are 1.30.4 or later',
  }
}

/** Reads the version from `ISTIO_VERSION`, the version label, the image's tag, or the name of the revision. */
function versionOf({ containers, podLabels }: Workload): Version | undefined {
  const candidates = [
    ...containers.map(({ env }) => env.get('ISTIO_VERSION')),
    podLabels.get('app.kubernetes.io/version'),
    ...containers.map(({ image }) => /:(\d[^@/:]*)(?:@|$)/.exec(image)?.[1]),
    podLabels.get('istio.io/rev')?.replace(/^(\d+)-(\d+)-(\d+)$/, '$1.$2.$3'),
  ]
  return candidates.flatMap((text) => parseVersion(text) ?? []).at(0)
}

function parseVersion(text: string | undefined): readonly [Version] | undefined {
  const [, major, minor, patch = '0'] = /^v?(\d+)\.(\d+)(?:\.(\d+))?/.exec(text ?? '') ?? []
  return major === undefined ? undefined : [[Number(major), Number(minor), Number(patch)]]
}

function isBefore(version: Version, other: Version): boolean {
  const difference = version.map((part, index) => part - (other[index] ?? 0)).find((part) => part !== 0)
  return (difference ?? 0) < 0
}

function show(version: Version): string {
  return version.join('.')
}
