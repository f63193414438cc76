import { type Account, keyOf, type ObjectName } from './cluster/guarded.ts'
import type { Finding } from './finding.ts'

/** Writes an AuthorizationPolicy that admits only these waypoints, for a namespace or for some of its pods. */
export function allowYaml(
  { namespace, name }: ObjectName,
  waypoints: readonly Account[],
  labels: readonly (readonly [string, string])[] = [],
  ports: readonly string[] = [],
): string {
  const selector = labels.map(([key, value]) => `${key}: ${value}`).join(', ')
  const principals = principalsOf(waypoints)
  return [
    'apiVersion: security.istio.io/v1',
    'kind: AuthorizationPolicy',
    `metadata: {name: ${name}, namespace: ${namespace}}`,
    'spec:',
    ...(labels.length > 0 ? [`  selector: {matchLabels: {${selector}}}`] : []),
    '  action: ALLOW',
    '  rules:',
    `  - from: [{source: {principals: [${principals}]}}]`,
    ...(ports.length > 0
      ? [`    to: [{operation: {ports: [${ports.map((port) => `"${port}"`).join(', ')}]}}]`]
      : []),
  ].join('\n')
}

/** Explains the finding that existing ALLOW policies refuse waypoints of the catalog. */
export function turnedAway(
  where: string,
  namespace: string,
  waypoints: readonly Account[],
  why: string,
): Finding {
  return {
    id: 'waypoint_shut_out',
    severity: 'error',
    what: `its ALLOW policies do not name the waypoint ${waypoints.map(keyOf).join(', ')}, and the catalog does`,
    where,
    why,
    fix: `kubectl -n ${namespace} edit authorizationpolicies   # from: [{source: {principals: [${principalsOf(waypoints)}]}}]`,
  }
}

function principalsOf(waypoints: readonly Account[]): string {
  return waypoints
    .map(({ trustDomain = 'cluster.local', namespace, name }) => `${trustDomain}/ns/${namespace}/sa/${name}`)
    .join(', ')
}
