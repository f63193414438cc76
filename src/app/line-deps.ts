import { randomUUID } from 'node:crypto'
import { rememberAsync, rememberLatest } from '../cache/remember.ts'
import { actorsWith } from '../chain/actors.ts'
import { mintChild, type SignedChain } from '../chain/extend.ts'
import type { ChainKeys } from '../chain/keys.ts'
import type { Recovery } from '../chain/recovery.ts'
import { checkRevoked } from '../chain/revocations.ts'
import { admitChain, verifySignedChain } from '../chain/verify.ts'
import type { LineDeps } from '../check/line.ts'
import type { Config, Listener } from '../config/config.ts'
import { isUserToken } from '../identity/agent-token.ts'
import { identifyCaller } from '../identity/peer.ts'
import { verifyUserToken } from '../identity/user-token.ts'
import type { Caller } from '../model/caller.ts'
import type { DelegatedChain, FirstHop } from '../model/chain.ts'
import { type Deny, isDeny } from '../model/decision.ts'
import type { Service } from '../model/target.ts'
import type { Credentials } from './credentials.ts'

/** Hands the line of one listener what it needs of identity/ and chain/. */
export function createLineDeps(
  config: Config,
  listener: Listener,
  credentials: Credentials,
  recovery: Recovery | undefined,
  createId: () => string = randomUUID,
): LineDeps {
  const { chain, ingress, users, observe } = config
  const { issuers, revocations } = credentials
  const namesOf = new Map(ingress.peers.map((peer) => [peer.id.uri, peer.issuers]))
  const issuersNamed = (names: readonly string[]) => issuers().filter(({ name }) => names.includes(name))
  const ingressIssuers = users.filter(({ name }) => ingress.peers.some((peer) => peer.issuers.includes(name)))
  const peerOptions = {
    peer: listener.peer,
    trustDomain: chain.trustDomain,
    ingressPeers: new Set(namesOf.keys()),
    isMutualTls: listener.tls?.clientCa !== undefined,
  }
  const mint = createMinter(config, credentials, createId)
  return {
    header: chain.header,
    peer: listener.peer,
    isObserving: (service, nowMs) => isObserving(observe, service, nowMs),
    identifyCaller: (input, waypoints) => identifyCaller(input, { ...peerOptions, waypoints }),
    verifyChain: createChainVerifier(config, credentials),
    verifyUserToken: (headers, caller, nowMs) =>
      verifyUserToken(headers, issuersNamed(namesOf.get(caller.id.uri) ?? []), nowMs),
    isUserToken: (headers) => isUserToken(headers, ingressIssuers, ingress.tokenCopies),
    checkRevoked: (presented, caller, nowMs) => checkRevoked(presented, caller, revocations(), nowMs),
    recoverChain: (headers, caller, nowMs) => recovery?.find(headers, caller.id, nowMs),
    async extendChain(chain, caller, callee, headers, nowMs) {
      const signed = await mint({ chain, caller, callee, nowMs })
      if (!isDeny(signed)) {
        const meaning = { txn: signed.txn, actors: actorsWith(chain, caller), scopes: chain.scopes }
        recovery?.keep(headers, callee.spiffeId, signed, meaning)
      }
      return signed
    },
  }
}

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
function createMinter(
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

/** Signatures are remembered as long as the keys that verified them are in force; all else is asked on every check. */
function createChainVerifier(
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

/** While only some services are observed, a request whose service is not known is refused like any other. */
function isObserving(observe: Config['observe'], service: string | undefined, nowMs: number): boolean {
  if (observe === undefined || nowMs >= observe.untilMs) return false
  return observe.services === undefined || (service !== undefined && observe.services.includes(service))
}
