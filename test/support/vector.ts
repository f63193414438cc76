import { readdirSync, readFileSync } from 'node:fs'
import type { Vector } from '../../scripts/vectors/vector.ts'
import { checkRevoked, parseRevocations } from '../../src/chain/revocations.ts'
import { admitChain, type ChainTrust, verifySignedChain } from '../../src/chain/verify.ts'
import { type ChainProofs, provenChain } from '../../src/check/proven-chain.ts'
import { createUserTokenFinder } from '../../src/identity/agent-token.ts'
import { identifyCaller } from '../../src/identity/peer.ts'
import { verifyUserToken } from '../../src/identity/user-token.ts'
import { parseJwks } from '../../src/jws/key-set.ts'
import { parseProviderKeys } from '../../src/jws/provider-keys.ts'
import type { Chain } from '../../src/model/chain.ts'
import type { CheckInput } from '../../src/model/check-input.ts'
import { type Deny, isDeny } from '../../src/model/decision.ts'
import { parseTrustDomain } from '../../src/model/spiffe-id.ts'
import { good } from './forge.ts'

/** All files of test/vectors. */
export function readVectors(): readonly Vector[] {
  const directory = new URL('../vectors/', import.meta.url)
  return readdirSync(directory)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(new URL(name, directory), 'utf8')))
}

/** What the first two steps of the line make of a vector: on whose behalf the request comes, or why it is refused. */
export async function decideVector(vector: Vector): Promise<Chain | Deny> {
  const { config, request } = vector
  const trustDomain = parseTrustDomain(config.trustDomain)
  if (typeof trustDomain !== 'string') throw new TypeError(trustDomain.reason)
  const input: CheckInput = {
    sourcePrincipal: request.sourcePrincipal,
    destinationAddress: '10.96.0.10:8080',
    method: 'GET',
    path: '/coverage/4711',
    host: 'insurance',
    headers: new Map(Object.entries(request.headers)),
    metadata: new Map(Object.entries(request.metadata)),
    tlsPeerUris: request.tlsPeerUris,
  }
  const caller = identifyCaller(input, {
    peer: vector.peer,
    trustDomain,
    ingressPeers: new Set(config.ingressPeers),
    waypoints: new Set(config.waypoints),
    isMutualTls: config.isMutualTls,
  })
  return isDeny(caller) ? caller : provenChain(input, caller, vector.now * 1000, toProofs(vector))
}

function toProofs({ config }: Vector): ChainProofs {
  const revocations = good(parseRevocations(JSON.stringify(config.revocations)))
  const users = config.users.map((user) => ({
    ...user,
    userClaim: user.userClaim,
    groupsAbsent: user.groupsAbsent ?? ('refuse' as const),
    keys: good(parseProviderKeys(JSON.stringify(user.jwks))),
  }))
  const trust: ChainTrust = {
    issuer: config.chain.issuer,
    keys: good(parseJwks(JSON.stringify(config.chain.jwks))),
    userIssuers: new Map(users.map(({ issuer, name }) => [issuer, name])),
    maxDepth: config.chain.maxDepth,
    maxLifetimeSeconds: config.chain.maxLifetimeSeconds,
  }
  return {
    header: config.chain.header,
    verifyChain: async (text, caller, nowMs) => {
      const proven = verifySignedChain(text, trust)
      return isDeny(proven) ? proven : admitChain(proven, caller, trust, nowMs, revocations)
    },
    verifyUserToken: (headers, _caller, nowMs) => verifyUserToken(headers, users, nowMs),
    recoverChain: () => undefined,
    carriesUserToken: createUserTokenFinder(users),
    checkRevoked: (chain, caller, nowMs) => checkRevoked(chain, caller, revocations, nowMs),
  }
}
