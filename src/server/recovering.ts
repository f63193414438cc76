import { rememberLatest } from '../base/cache/remember.ts'
import type { Config } from '../config/config.ts'
import { actorsWith } from '../decision/chain/actors.ts'
import { createRecovery, type Recovery } from '../decision/chain/recovery.ts'
import { skewSeconds } from '../decision/chain/token.ts'
import type { CheckShell } from '../decision/check/check.ts'
import type { Catalog } from '../policy/catalog/catalog.ts'
import type { Revision } from '../policy/revision/revision.ts'

/** Recovery of chains, with its notices for the operator. */
export type Recovering = Recovery & { readonly notices: (nowMs: number) => readonly string[] }

/**
 * Starts to store chains for recovery, if configured. Chains from before `startedMs` are unknown. So every id is
 * ambiguous until the longest-lived of them has expired.
 */
export function openRecovery(
  { recovery, chain }: Config,
  revision: () => Revision | undefined,
  startedMs: number,
): Recovering | undefined {
  if (recovery === undefined) return undefined
  const { trace, headers, maxChains, replicas } = recovery
  const lifetimesBy = rememberLatest(longestLifetimes)
  const lifetimes = () => lifetimesBy(revision()?.catalog)
  const unknownUntil = (lifetimeSeconds: number | undefined) =>
    startedMs / 1000 + Math.max(chain.hopLifetimeSeconds, lifetimeSeconds ?? 0) + skewSeconds
  const kept = createRecovery({
    byTrace: trace,
    byHeaders: headers,
    maxChains,
    unknownUntil: ({ uri }) => unknownUntil(lifetimes().get(uri)),
  })
  return {
    ...kept,
    notices(nowMs) {
      const startedUntilMs = unknownUntil(Math.max(0, ...lifetimes().values())) * 1000
      const lostUntilMs = kept.lostUntil() * 1000
      return [
        ...(nowMs < startedUntilMs ? [`recovery: ${justStarted} until ${toIso(startedUntilMs)}`] : []),
        ...(nowMs < lostUntilMs ? [`recovery: ${evicted(maxChains)} until ${toIso(lostUntilMs)}`] : []),
        ...(replicas === undefined ? [] : [`recovery: ${severalReplicas}, because: ${replicas}`]),
      ]
    },
  }
}

/** Stores the chain of each callee for recovery. It also stores that a callee got none. */
export function createHandover({ keep }: Pick<Recovery, 'keep'>): CheckShell['handedOn'] {
  return (headers, { service, caller, chain, onward }, nowMs) => {
    if (service?.forwards !== true) return
    if (onward === undefined || caller === undefined || chain === undefined || chain.kind === 'none') {
      const expiresAt = nowMs / 1000 + service.hopLifetimeSeconds
      return keep(headers, service.spiffeId, { token: undefined, expiresAt })
    }
    const { token, txn, expiresAt } = onward
    const actors = actorsWith(chain, caller)
    keep(headers, service.spiffeId, { token, txn, actors, scopes: chain.scopes, expiresAt })
  }
}

const justStarted = 'chains from before the start are not known, so an agent that loses the header is refused'
const severalReplicas = 'chains that another replica handed out are not known, which is accepted'

const evicted = (maxChains: number) =>
  `\`maxChains\` (${maxChains}) has no room for all live chains; raise it. Ids of evicted chains are in doubt`

function toIso(ms: number): string {
  return new Date(ms).toISOString()
}

/** Returns the maximum lifetime of a chain for each workload, in seconds, by SPIFFE ID. */
function longestLifetimes(catalog: Catalog | undefined): ReadonlyMap<string, number> {
  const longest = new Map<string, number>()
  for (const { spiffeId, forwards, hopLifetimeSeconds } of catalog?.services ?? [])
    if (forwards) longest.set(spiffeId.uri, Math.max(hopLifetimeSeconds, longest.get(spiffeId.uri) ?? 0))
  return longest
}
