import { randomUUID } from 'node:crypto'
import { rememberAsync, rememberLatest } from '../cache/remember.ts'
import { mintChild } from '../chain/extend.ts'
import type { ChainKeys } from '../chain/keys.ts'
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
  { chain, ingress, users, observe, cache }: Config,
  listener: Listener,
  { keys, issuers, revocations }: Credentials,
  createId: () => string = randomUUID,
): LineDeps {
  const userIssuers = new Map(users.map(({ issuer, name }) => [issuer, name]))
  const trust = {
    issuer: chain.issuer,
    userIssuers,
    maxDepth: chain.maxDepth,
    maxLifetimeSeconds: chain.maxLifetimeSeconds,
  }
  // What rests on keys is remembered as long as they are in force.
  const verifySignedBy = rememberLatest(({ verifying }: ChainKeys) => {
    const trusted = { ...trust, keys: verifying }
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
      const proven = await verifySignedBy(keys())(text)
      return isDeny(proven) ? proven : admitChain(proven, caller, trust, nowMs, revocations())
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
