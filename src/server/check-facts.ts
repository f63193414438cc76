import { randomUUID } from 'node:crypto'
import type { Config, Listener } from '../config/config.ts'
import type { Recovery } from '../decision/chain/recovery.ts'
import type { CheckShell } from '../decision/check/check.ts'
import type { CheckSettings } from '../decision/check/facts.ts'
import { createMemories } from '../decision/check/memories.ts'
import { createUserTokenFinder } from '../decision/identity/agent-token.ts'
import type { Credentials } from './credentials.ts'

/** The source of new UUIDs and random numbers. */
export type Chance = { readonly createId: () => string; readonly random: () => number }

/** Collects the facts for the checks of one listener. All its checks share caches. */
export function createFacts(
  config: Config,
  listener: Pick<Listener, 'peer' | 'tls'>,
  { keys, issuers, revocations }: Pick<Credentials, 'keys' | 'issuers' | 'revocations'>,
  recovery: Pick<Recovery, 'find'> | undefined,
  { createId, random }: Chance = { createId: randomUUID, random: Math.random },
): CheckShell['facts'] {
  const settings = toCheckSettings(config, listener)
  const memories = createMemories(config.cache)
  return (revision, nowMs, stopwatch) => ({
    settings,
    revision,
    keys: keys(),
    issuers: issuers(),
    revocations: revocations(),
    recovery,
    nowMs,
    memories,
    proofs: none,
    createId,
    random,
    stopwatch,
  })
}

/** A check that begins has proven nothing yet. */
const none: ReadonlySet<string> = new Set()

/** Returns the configuration for the checks of one listener. */
export function toCheckSettings(
  config: Config,
  { peer, tls }: Pick<Listener, 'peer' | 'tls'>,
): CheckSettings {
  const { chain, ingress, users, observe } = config
  const { issuer, maxDepth, maxLifetimeSeconds, ceiling } = chain
  const ingressIssuers = users.filter(({ name }) => ingress.peers.some((each) => each.issuers.includes(name)))
  return {
    peer,
    trustDomain: chain.trustDomain,
    trustDomainAliases: chain.trustDomainAliases,
    isMutualTls: tls?.clientCa !== undefined,
    chainHeader: chain.header,
    ingress: new Map(ingress.peers.map(({ id, issuers }) => [id.uri, new Set(issuers)])),
    carriesUserToken: createUserTokenFinder(ingressIssuers, ingress.tokenCopies),
    trust: {
      issuer,
      userIssuers: new Map(users.map((user) => [user.issuer, user.name])),
      maxDepth,
      maxLifetimeSeconds,
    },
    groupsAllowed: new Map(users.map((user) => [user.issuer, new Set(user.groupsAllow)])),
    minting: { issuer, maxDepth, maxLifetimeSeconds, ceiling },
    observing: observe,
  }
}
