import { keyOf, ownService, workloadsBehind } from './cluster/guarded.ts'
import type { Workload } from './cluster/view.ts'
import type { Finding, Rule } from './finding.ts'

/** Checks the number of replicas, because only the process that handed out a chain can recover it. */
export const recoveryRule: Rule = (cluster, config) => {
  const service = ownService(cluster)
  if (service === undefined || config?.recovery === undefined) return []
  const workloads = workloadsBehind(cluster, service)
  const deployment = workloads.find(({ kind }) => kind === 'Deployment')
  const pods = workloads.filter(({ kind }) => kind === 'Pod').length
  const replicas = Math.max(deployment?.replicas ?? 1, pods)
  const where = deployment === undefined ? `Service ${keyOf(service)}` : `Deployment ${keyOf(deployment)}`
  if (replicas > 1) return [severalReplicas(where, replicas, config.recovery.replicas)]
  return deployment?.surges === true ? [overlappingUpdate(deployment, where)] : []
}

const cost =
  'a replica does not know the chains that another handed out: an agent that loses the header is refused (`chain_missing`), and ' +
  "if two users' work shares an id at two replicas, it is given the chain of the other user"

function severalReplicas(where: string, replicas: number, reason: string | undefined): Finding {
  const what = `\`recovery\` is configured, and there are ${replicas} replicas`
  if (reason !== undefined)
    return {
      id: 'recovery_accepted',
      severity: 'warning',
      what: `${what}; waywarden.yaml says why that is safe: \`${reason}\``,
      where,
      why: cost,
      fix: 'none needed while that is true: all requests with one id must reach one replica, also while it is replaced',
    }
  return {
    id: 'recovery_replicas',
    severity: 'error',
    what,
    where,
    why: cost,
    fix: `kubectl -n waywarden scale deployment/waywarden --replicas=1   # and no autoscaler; or in waywarden.yaml leave \`recovery\` out, or say in \`recovery.replicas\` why several are safe`,
  }
}

function overlappingUpdate({ namespace, name }: Workload, where: string): Finding {
  return {
    id: 'recovery_update',
    severity: 'warning',
    what: '`recovery` is configured, and an update starts a second replica before the first one ends',
    where,
    why: `meanwhile ${cost}`,
    fix: `kubectl -n ${namespace} patch deployment ${name} --type=merge --patch '{"spec": {"strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}}}'`,
  }
}
