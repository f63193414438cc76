import type { Labels } from '../../base/document/kube-object.ts'
import type { AccessRule, AuthorizationPolicy, Source } from './authorization-policy.ts'
import { indexCluster, labelKey } from './cluster-index.ts'
import { type Account, keyOf } from './guarded.ts'
import { type ClusterView, matches } from './view.ts'

/** Pods that a label set selects, and their ports. */
export type Guarded = {
  readonly namespace: string
  readonly labels: Labels
  /** Empty if unknown: then every port counts. */
  readonly ports: readonly string[]
}

/** Explains why ztunnel admits others than these waypoints, in words that follow "because"; `undefined` if it does not. */
export function explainOpening(
  cluster: ClusterView,
  guarded: Guarded,
  waypoints: readonly Account[],
): string | undefined {
  const applicable = applicablePolicies(cluster, guarded)
  const isDenied = applicable.some(
    ({ action, rules }) => action === 'DENY' && rules?.some((rule) => deniesOthers(rule, guarded, waypoints)),
  )
  if (isDenied) return undefined
  const allowing = applicable.filter(({ action }) => action === 'ALLOW')
  if (allowing.length === 0) return 'no ALLOW policy names the waypoint'
  const open = allowing.find((policy) =>
    policy.rules?.some((rule) => admitsOthers(rule, policy, guarded, waypoints)),
  )
  return open && `AuthorizationPolicy ${keyOf(open)} also allows others`
}

/** Returns the waypoints that ztunnel refuses: there are ALLOW policies, and no rule includes them. */
export function findShutOut(
  cluster: ClusterView,
  guarded: Guarded,
  waypoints: readonly Account[],
): readonly Account[] {
  const allowing = applicablePolicies(cluster, guarded).filter(({ action }) => action === 'ALLOW')
  if (allowing.length === 0) return []
  return waypoints.filter((waypoint) => !allowing.some((policy) => mayAdmit(policy, guarded, waypoint)))
}

/** Returns the mutual TLS mode of these pods: their own, their namespace's or the mesh's; on one port or on all. */
export function mtlsModes(cluster: ClusterView, { namespace, labels, ports }: Guarded): readonly string[] {
  const { rootNamespace } = cluster.mesh
  const inNamespace = cluster.peerAuthentications.filter((policy) => policy.namespace === namespace)
  const own = inNamespace.find(({ selector }) => (selector?.size ?? 0) > 0 && matches(selector, labels))
  const levels = [
    own,
    inNamespace.find(({ selector }) => (selector?.size ?? 0) === 0),
    cluster.peerAuthentications.find((policy) => policy.namespace === rootNamespace),
  ]
  const isSet = (mode: string | undefined): mode is string => mode !== undefined && mode !== 'UNSET'
  const general = levels.map((policy) => policy?.mode).find(isSet) ?? 'PERMISSIVE'
  const onPorts = ports.length > 0 ? ports : [...(own?.portModes.keys() ?? []), '']
  return onPorts.map((port) => own?.portModes.get(port) ?? general)
}

/** True if ztunnel captures a namespace's pods with these labels. */
export function isAmbient(cluster: ClusterView, { namespace, labels }: Guarded): boolean {
  const mode = 'istio.io/dataplane-mode'
  const ofPod = labels.get(mode)
  return (ofPod ?? cluster.namespaces.get(namespace)?.get(mode)) === 'ambient'
}

/** Returns the policies that ztunnel applies to pods: those of their namespace and of the mesh. */
export function applicablePolicies(cluster: ClusterView, guarded: Guarded): readonly AuthorizationPolicy[] {
  const { guardsOfAll, guardsByLabel } = indexCluster(cluster)
  return [...new Set([guarded.namespace, cluster.mesh.rootNamespace])].flatMap((namespace) => {
    const selecting = [...guarded.labels].flatMap(
      (label) => guardsByLabel.get(labelKey(namespace, label)) ?? [],
    )
    return [
      ...(guardsOfAll.get(namespace) ?? []),
      ...selecting.filter(({ selector }) => matches(selector, guarded.labels)),
    ]
  })
}

/** In an ALLOW rule, ztunnel treats an HTTP condition as never met, so the rule admits nobody. */
function admitsOthers(
  rule: AccessRule,
  { namespace }: AuthorizationPolicy,
  guarded: Guarded,
  waypoints: readonly Account[],
): boolean {
  if (!isAbout(rule, guarded)) return false
  const { sources } = rule
  return sources.length === 0 || sources.some((source) => !isWaypointsOnly(source, namespace, waypoints))
}

function isAbout({ operations }: AccessRule, { ports }: Guarded): boolean {
  if (operations.length === 0 || ports.length === 0) return true
  return operations.some(
    (operation) => operation.ports.length === 0 || operation.ports.some((port) => ports.includes(port)),
  )
}

function isWaypointsOnly(
  { principals, serviceAccounts }: Source,
  namespace: string,
  waypoints: readonly Account[],
): boolean {
  const accounts = serviceAccounts.map((name) => (name.includes('/') ? name : `${namespace}/${name}`))
  return (
    principals.length + accounts.length > 0 &&
    principals.every((principal) => isWaypoint(principal, waypoints)) &&
    accounts.every((account) => waypoints.some((waypoint) => keyOf(waypoint) === account))
  )
}

/** True if a rule names the waypoint, or may include it by a pattern, a namespace or an address. */
function mayAdmit({ rules, namespace }: AuthorizationPolicy, guarded: Guarded, waypoint: Account): boolean {
  const mayMean = ({ keys, principals, serviceAccounts }: Source): boolean =>
    (!keys.includes('principals') && !keys.includes('serviceAccounts')) ||
    principals.some((principal) => principal.includes('*') || isWaypoint(principal, [waypoint])) ||
    serviceAccounts.some((name) => [name, `${namespace}/${name}`].includes(keyOf(waypoint)))
  return (rules ?? []).some(
    (rule) => isAbout(rule, guarded) && (rule.sources.length === 0 || rule.sources.some(mayMean)),
  )
}

function deniesOthers(
  { sources, operations, hasConditions }: AccessRule,
  { ports }: Guarded,
  waypoints: readonly Account[],
): boolean {
  const isEverywhere =
    operations.length === 0 ||
    (ports.length > 0 &&
      operations.some((operation) => ports.every((port) => operation.ports.includes(port))))
  const isEveryoneElse = sources.some(
    ({ keys, notPrincipals }) =>
      keys.length === 1 &&
      notPrincipals.length > 0 &&
      notPrincipals.every((principal) => isWaypoint(principal, waypoints)),
  )
  return isEverywhere && isEveryoneElse && !hasConditions
}

/** A pattern with `*` names no single principal. `cluster.local` means the mesh's own trust domain. */
function isWaypoint(principal: string, waypoints: readonly Account[]): boolean {
  const [, domain = '', namespace = '', name = ''] =
    /^([^/*]+)\/ns\/([^/*]+)\/sa\/([^/*]+)$/.exec(principal) ?? []
  return waypoints.some(
    ({ trustDomain = domain, ...waypoint }) =>
      keyOf(waypoint) === `${namespace}/${name}` && (domain === trustDomain || domain === 'cluster.local'),
  )
}
