import { randomUUID } from 'node:crypto'
import { rememberAsync } from '../cache/remember.ts'
import { mintChild } from '../chain/extend.ts'
import { checkRevoked } from '../chain/revocations.ts'
import { admitChain, type ChainTrust, verifySignedChain } from '../chain/verify.ts'
import type { LineDeps } from '../check/line.ts'
import type { Config, Listener } from '../config/config.ts'
import { isUserToken } from '../identity/agent-token.ts'
import { identifyCaller } from '../identity/peer.ts'
import { verifyUserToken } from '../identity/user-token.ts'
import { isDeny } from '../model/decision.ts'
import type { Credentials } from './credentials.ts'

/** Hands the line of one listener what it needs of identity/ and chain/. */
export function createLineDeps(
  { chain, ingress, users, observe, cache }: Config,
  listener: Listener,
  { keys, issuers, revocations }: Credentials,
  createId: () => string = randomUUID,
): LineDeps {
  const userIssuers = new Map(users.map(({ issuer, name }) => [issuer, name]))
  const trust = (): ChainTrust => ({
    issuer: chain.issuer,
    keys: keys().verifying,
    userIssuers,
    maxDepth: chain.maxDepth,
    maxLifetimeSeconds: chain.maxLifetimeSeconds,
  })
  const verifySigned = perKeys(keys, () => {
    const trusted = trust()
    return rememberAsync((text: string) => verifySignedChain(text, trusted), {
      maxEntries: cache.chains,
      keyOf: (text) => text,
      isWorth: (proven) => !isDeny(proven),
    })
  })
  const namesOf = new Map(ingress.peers.map((peer) => [peer.id.uri, peer.issuers]))
  const issuersNamed = (names: readonly string[]) => issuers().filter(({ name }) => names.includes(name))
  const ingressIssuers = users.filter(({ name }) => ingress.peers.some((peer) => peer.issuers.includes(name)))
  const peerOptions = {
    peer: listener.peer,
    trustDomain: chain.trustDomain,
    ingressPeers: new Set(namesOf.keys()),
    isMutualTls: listener.tls?.clientCa !== undefined,
  }
  return {
    header: chain.header,
    isObserving: (service, nowMs) => isObserving(observe, service, nowMs),
    identifyCaller: (input, waypoints) => identifyCaller(input, { ...peerOptions, waypoints }),
    async verifyChain(text, caller, nowMs) {
      const proven = await verifySigned()(text)
      return isDeny(proven) ? proven : admitChain(proven, caller, trust(), nowMs, revocations())
    },
    verifyUserToken: (headers, caller, nowMs) =>
      verifyUserToken(headers, issuersNamed(namesOf.get(caller.id.uri) ?? []), nowMs),
    isUserToken: (headers) => isUserToken(headers, ingressIssuers, ingress.tokenCopies),
    checkRevoked: (presented, caller, nowMs) => checkRevoked(presented, caller, revocations(), nowMs),
    extendChain: (presented, caller, callee, nowMs) =>
      mintChild(
        presented,
        caller,
        callee,
        {
          key: keys().signing,
          issuer: chain.issuer,
          maxLifetimeSeconds: chain.maxLifetimeSeconds,
          ceiling: chain.ceiling,
          maxDepth: chain.maxDepth,
        },
        nowMs,
        { jti: createId(), txn: createId() },
      ),
  }
}

/** While only some services are observed, a request whose service is not known is refused like any other. */
function isObserving(observe: Config['observe'], service: string | undefined, nowMs: number): boolean {
  if (observe === undefined || nowMs >= observe.untilMs) return false
  return observe.services === undefined || (service !== undefined && observe.services.includes(service))
}

/** What rests on keys is made anew when they change. */
function perKeys<K, T>(current: () => K, make: () => T): () => T {
  let made: { readonly keys: K; readonly value: T } | undefined
  return () => {
    const keys = current()
    if (made?.keys !== keys) made = { keys, value: make() }
    return made.value
  }
}
