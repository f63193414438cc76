import { keyOf, type Located, locate, workloadsBehind, workloadsOf } from './cluster/guarded.ts'
import type { ClusterView } from './cluster/view.ts'
import type { Finding, Rule } from './finding.ts'

/** Checks that each service of the catalog, and no other workload, has its SPIFFE ID. */
export const accountRule: Rule = (cluster, _, catalog) => {
  const located = locate(cluster, catalog)
  return [...located.flatMap((one) => identityFindings(cluster, one)), ...sharedAccounts(cluster, located)]
}

function identityFindings(cluster: ClusterView, { service, kube, identity }: Located): readonly Finding[] {
  if (kube === undefined || identity === undefined) return []
  const strangers = workloadsBehind(cluster, kube).filter(
    ({ isOwned, serviceAccount }) => !isOwned && serviceAccount !== identity.name,
  )
  return strangers.map((workload) => ({
    id: 'identity_differs' as const,
    severity: 'error' as const,
    what: `it runs as service account \`${workload.serviceAccount}\`, and the catalog says ${service.spiffeId.uri}`,
    where: `${workload.kind} ${keyOf(workload)}`,
    why: 'the chain that is minted for the service has another holder, so the service cannot present it',
    fix: `spiffeId: ${service.spiffeId.uri.replace(/[^/]+$/, workload.serviceAccount)}   # services.yaml:${service.line}, or change the Deployment's serviceAccountName`,
  }))
}

function sharedAccounts(cluster: ClusterView, located: readonly Located[]): readonly Finding[] {
  const identities = new Map(located.map(({ identity, service }) => [keyOf(identity), { identity, service }]))
  return [...identities.values()].flatMap(({ identity, service }) => {
    if (identity === undefined || service.shared !== undefined) return []
    const workloads = workloadsOf(cluster, identity).filter(({ isOwned }) => !isOwned)
    // Two versions of one agent have the same `app` label; two agents do not.
    const apps = new Set(
      workloads.map(
        ({ name, podLabels }) => podLabels.get('app.kubernetes.io/name') ?? podLabels.get('app') ?? name,
      ),
    )
    if (apps.size < 2) return []
    return [
      {
        id: 'service_account_shared' as const,
        severity: 'warning' as const,
        what: `${[...apps].sort().join(' and ')} run as one service account`,
        where: `ServiceAccount ${keyOf(identity)}`,
        why: 'they are one identity: each may do what the other may, and present chains that were minted for the other',
        fix: `kubectl -n ${identity.namespace} create serviceaccount <one for each>   # and name it in the Deployment, services.yaml and policies; or say \`shared: "why"\``,
      },
    ]
  })
}
