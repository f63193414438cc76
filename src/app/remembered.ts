import { remember, rememberAsync, rememberLatest } from '../cache/remember.ts'
import { mintChild, type SignedChain } from '../chain/extend.ts'
import type { ChainKeys } from '../chain/keys.ts'
import { admitChain, verifySignedChain } from '../chain/verify.ts'
import { judge } from '../check/judge.ts'
import type { LineDeps } from '../check/line.ts'
import type { Config } from '../config/config.ts'
import type { Caller } from '../model/caller.ts'
import type { Chain, DelegatedChain, FirstHop } from '../model/chain.ts'
import { type Deny, isDeny } from '../model/decision.ts'
import type { Service, Target } from '../model/target.ts'
import type { Revision } from '../revision/revision.ts'
import type { Credentials } from './credentials.ts'

type MintOrder = {
  readonly chain: DelegatedChain | FirstHop
  readonly caller: Caller
  readonly callee: Service
  readonly nowMs: number
}

type Minted = { readonly signed: SignedChain | Deny; readonly mintedAtMs: number }

/**
 * A child that was minted for the same parent, caller and callee serves again in the first quarter of its life: whoever
 * gets it has most of a hop's time left. A first hop begins another transaction each time.
 */
export function createMinter(
  { chain, cache }: Config,
  { keys }: Credentials,
  createId: () => string,
): (order: MintOrder) => Promise<SignedChain | Deny> {
  const limits = {
    issuer: chain.issuer,
    maxLifetimeSeconds: chain.maxLifetimeSeconds,
    ceiling: chain.ceiling,
    maxDepth: chain.maxDepth,
  }
  const mintBy = rememberLatest(({ signing }: ChainKeys) => {
    const mint = async ({ chain: parent, caller, callee, nowMs }: MintOrder): Promise<Minted> => {
      const ids = { jti: createId(), txn: createId() }
      const signed = await mintChild(parent, caller, callee, { ...limits, key: signing }, nowMs, ids)
      return { signed, mintedAtMs: nowMs }
    }
    const mintOnce = rememberAsync(mint, {
      maxEntries: cache.chains,
      keyOf: ({ chain: parent, caller, callee }) => JSON.stringify([parent, caller.id.uri, callee]),
      isWorth: ({ signed }) => !isDeny(signed),
      isFresh: isYoung,
    })
    return (order: MintOrder) => (order.chain.kind === 'delegated' ? mintOnce(order) : mint(order))
  })
  return async (order) => (await mintBy(keys())(order)).signed
}

function isYoung({ signed, mintedAtMs }: Minted, { nowMs }: MintOrder): boolean {
  if (isDeny(signed)) return true
  const lifeMs = signed.expiresAt * 1000 - mintedAtMs
  return nowMs >= mintedAtMs && nowMs < mintedAtMs + lifeMs / 4
}

/**
 * A judgement is remembered as long as its revision serves: it rests on the caller, the chain, which its digest names,
 * and what the request wants of the service. A first hop has no digest, and its user is judged anew.
 */
export function createJudge({ cache }: Config): LineDeps['judge'] {
  const judgeBy = rememberLatest((revision: Revision) =>
    remember(({ caller, chain, target }: Case) => judge(caller, chain, target, revision), {
      maxEntries: cache.decisions,
      keyOf: ({ caller, chain, target: { service, method, path } }) => {
        const digest = chain.kind === 'delegated' ? [chain.digest, chain.isRecovered] : []
        return JSON.stringify([caller.id.uri, service.name, method, path, ...digest])
      },
      isWorth: (judgement) => !isDeny(judgement) || judgement.code !== 'policy_unavailable',
    }),
  )
  return (caller, chain, target, revision) =>
    chain.kind === 'first-hop'
      ? judge(caller, chain, target, revision)
      : judgeBy(revision)({ caller, chain, target })
}

type Case = { readonly caller: Caller; readonly chain: Chain; readonly target: Target }

/** Signatures are remembered as long as the keys that verified them are in force; all else is asked on every check. */
export function createChainVerifier(
  { chain, users, cache }: Config,
  { keys, revocations }: Credentials,
): LineDeps['verifyChain'] {
  const trust = {
    issuer: chain.issuer,
    userIssuers: new Map(users.map(({ issuer, name }) => [issuer, name])),
    maxDepth: chain.maxDepth,
    maxLifetimeSeconds: chain.maxLifetimeSeconds,
  }
  const verifySignedBy = rememberLatest(({ verifying }: ChainKeys) => {
    const trusted = { ...trust, keys: verifying }
    return rememberAsync((text: string) => verifySignedChain(text, trusted), {
      maxEntries: cache.chains,
      keyOf: (text) => text,
      isWorth: (proven) => !isDeny(proven),
    })
  })
  return async (text, caller, nowMs) => {
    const proven = await verifySignedBy(keys())(text)
    return isDeny(proven) ? proven : admitChain(proven, caller, trust, nowMs, revocations())
  }
}
