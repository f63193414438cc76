import { randomUUID } from 'node:crypto'
import { rememberAsync, rememberLatest } from '../cache/remember.ts'
import { actorsWith } from '../chain/actors.ts'
import { mintChild } from '../chain/extend.ts'
import type { ChainKeys } from '../chain/keys.ts'
import type { Recovery } from '../chain/recovery.ts'
import { checkRevoked } from '../chain/revocations.ts'
import { admitChain, verifySignedChain } from '../chain/verify.ts'
import type { LineDeps } from '../check/line.ts'
import type { Config, Listener } from '../config/config.ts'
import { isUserToken } from '../identity/agent-token.ts'
import { identifyCaller } from '../identity/peer.ts'
import { verifyUserToken } from '../identity/user-token.ts'
import { isDeny } from '../model/decision.ts'
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
  const { keys, issuers, revocations } = credentials
  const namesOf = new Map(ingress.peers.map((peer) => [peer.id.uri, peer.issuers]))
  const issuersNamed = (names: readonly string[]) => issuers().filter(({ name }) => names.includes(name))
  const ingressIssuers = users.filter(({ name }) => ingress.peers.some((peer) => peer.issuers.includes(name)))
  const peerOptions = {
    peer: listener.peer,
    trustDomain: chain.trustDomain,
    ingressPeers: new Set(namesOf.keys()),
    isMutualTls: listener.tls?.clientCa !== undefined,
  }
  const minting = {
    issuer: chain.issuer,
    maxLifetimeSeconds: chain.maxLifetimeSeconds,
    ceiling: chain.ceiling,
    maxDepth: chain.maxDepth,
  }
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
    async extendChain(presented, caller, callee, headers, nowMs) {
      const ids = { jti: createId(), txn: createId() }
      const signed = await mintChild(
        presented,
        caller,
        callee,
        { ...minting, key: keys().signing },
        nowMs,
        ids,
      )
      if (!isDeny(signed)) {
        const { txn } = signed
        const meaning = { txn, actors: actorsWith(presented, caller), scopes: presented.scopes }
        recovery?.keep(headers, callee.spiffeId, signed, meaning)
      }
      return signed
    },
  }
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
