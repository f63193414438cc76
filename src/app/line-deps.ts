import { randomUUID } from 'node:crypto'
import { rememberLatest } from '../cache/remember.ts'
import type { Recovery } from '../chain/recovery.ts'
import { checkRevoked } from '../chain/revocations.ts'
import type { LineDeps } from '../check/line.ts'
import type { Config, Listener } from '../config/config.ts'
import { createUserTokenFinder } from '../identity/agent-token.ts'
import { identifyCaller } from '../identity/peer.ts'
import { verifyUserToken } from '../identity/user-token.ts'
import type { Credentials } from './credentials.ts'
import { createChainVerifier, createJudge, createMinter, createTargeting } from './remembered.ts'

/** Hands the line of one listener what it needs of identity/ and chain/. */
export function createLineDeps(
  config: Config,
  listener: Listener,
  credentials: Credentials,
  recovery: Recovery | undefined,
  createId: () => string = randomUUID,
  random: () => number = Math.random,
): LineDeps {
  const { chain, ingress, users, observe } = config
  const { issuers, revocations } = credentials
  const namesOf = new Map(ingress.peers.map((peer) => [peer.id.uri, peer.issuers]))
  const issuersNamed = (names: readonly string[]) => issuers().filter(({ name }) => names.includes(name))
  const ingressIssuers = users.filter(({ name }) => ingress.peers.some((peer) => peer.issuers.includes(name)))
  const ingressPeers = new Set(namesOf.keys())
  const peerOptions = rememberLatest((waypoints: ReadonlySet<string>) => ({
    peer: listener.peer,
    trustDomain: chain.trustDomain,
    ingressPeers,
    waypoints,
    isMutualTls: listener.tls?.clientCa !== undefined,
  }))
  const mint = createMinter(config, credentials, createId, random)
  return {
    header: chain.header,
    peer: listener.peer,
    isObserving: (service, nowMs) => isObserving(observe, service, nowMs),
    identifyCaller: (input, waypoints) => identifyCaller(input, peerOptions(waypoints)),
    verifyChain: createChainVerifier(config, credentials),
    verifyUserToken: (headers, caller, nowMs) =>
      verifyUserToken(headers, issuersNamed(namesOf.get(caller.id.uri) ?? []), nowMs),
    carriesUserToken: createUserTokenFinder(ingressIssuers, ingress.tokenCopies),
    checkRevoked: (presented, caller, nowMs) => checkRevoked(presented, caller, revocations(), nowMs),
    recoverChain: (headers, caller, nowMs) => recovery?.find(headers, caller.id, nowMs),
    targetOf: createTargeting(config),
    judge: createJudge(config),
    extendChain: (chain, caller, callee, nowMs) => mint({ chain, caller, callee, nowMs }),
  }
}

/** While only some services are observed, a request whose service is not known is refused like any other. */
function isObserving(observe: Config['observe'], service: string | undefined, nowMs: number): boolean {
  if (observe === undefined || nowMs >= observe.untilMs) return false
  return observe.services === undefined || (service !== undefined && observe.services.includes(service))
}
