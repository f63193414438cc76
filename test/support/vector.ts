import { readdirSync, readFileSync } from 'node:fs'
import type { Vector } from '../../scripts/vectors/vector.ts'
import type { Caller } from '../../src/base/model/caller.ts'
import type { Chain } from '../../src/base/model/chain.ts'
import type { CheckInput } from '../../src/base/model/check-input.ts'
import { type Deny, isDeny } from '../../src/base/model/decision.ts'
import { isInvalid } from '../../src/base/model/invalid.ts'
import { isNeed } from '../../src/base/model/need.ts'
import { parseTrustDomain, type TrustDomain } from '../../src/base/model/spiffe-id.ts'
import { toUserIssuer } from '../../src/config/user-issuer.ts'
import { toChainKeys } from '../../src/decision/chain/keys.ts'
import { parseRevocations } from '../../src/decision/chain/revocations.ts'
import type { CheckSettings, Facts } from '../../src/decision/check/facts.ts'
import { createMemories } from '../../src/decision/check/memories.ts'
import { provenChain } from '../../src/decision/check/proven-chain.ts'
import { createUserTokenFinder } from '../../src/decision/identity/agent-token.ts'
import { identifyCaller } from '../../src/decision/identity/peer.ts'
import { parseJwks } from '../../src/decision/jws/key-set.ts'
import { parseProviderKeys } from '../../src/decision/jws/provider-keys.ts'
import { elapsedMs } from '../../src/server/by-deadline.ts'
import { createTokenProver } from '../../src/server/provider-keys/token-prover.ts'
import { revision } from './built-checker.ts'
import { good, spiffeId } from './forge.ts'
import { chainKey, uris } from './hospital.ts'

/** All files of test/vectors. */
export function readVectors(): readonly Vector[] {
  const directory = new URL('../vectors/', import.meta.url)
  return readdirSync(directory)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(new URL(name, directory), 'utf8')))
}

/** Runs the first steps of a check on a vector: on whose behalf the request comes, or why it is refused. */
export async function decideVector(vector: Vector): Promise<Chain | Deny> {
  const { request } = vector
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
  const facts = toFacts(vector)
  const { peer, trustDomain, ingress, isMutualTls } = facts.settings
  const waypoints = new Set(vector.config.waypoints)
  const caller = identifyCaller(input, { peer, trustDomain, ingressPeers: ingress, waypoints, isMutualTls })
  return isDeny(caller) ? caller : proveAll(input, caller, facts)
}

const prove = createTokenProver()
const minuteMs = 60_000
/** The service that every vector asks for. */
const callee = spiffeId(uris.insurance)

/** Asks with the proofs so far, as a check does; a key that is missing cannot be fetched. */
async function proveAll(input: CheckInput, caller: Caller, facts: Facts): Promise<Chain | Deny> {
  const chain = provenChain(input, caller, callee, facts)
  if (!isNeed(chain)) return chain
  if (chain.what === 'provider_key' || facts.proofs.has(chain.key)) return chain.unmet
  const met = await prove(chain, elapsedMs() + minuteMs)
  return isDeny(met)
    ? met
    : proveAll(input, caller, { ...facts, proofs: new Set([...facts.proofs, met.key]) })
}

function toFacts({ config, peer, now }: Vector): Facts {
  const trustDomain = mustParse(config.trustDomain)
  const issuers = config.users.map(({ jwks, ...user }) => ({
    ...toUserIssuer({ ...user, groupsAbsent: user.groupsAbsent ?? 'refuse' }, (path) => path),
    keys: good(parseProviderKeys(JSON.stringify(jwks))),
  }))
  const { issuer, header, maxDepth, maxLifetimeSeconds } = config.chain
  const { keys: verifying } = good(parseJwks(JSON.stringify(config.chain.jwks)))
  const names = new Set(issuers.map(({ name }) => name))
  const settings: CheckSettings = {
    peer,
    trustDomain,
    trustDomainAliases: (config.trustDomainAliases ?? []).map(mustParse),
    isMutualTls: config.isMutualTls,
    chainHeader: header,
    ingress: new Map(config.ingressPeers.map((uri) => [uri, names])),
    carriesUserToken: createUserTokenFinder(issuers),
    trust: {
      issuer,
      maxDepth,
      maxLifetimeSeconds,
      userIssuers: new Map(issuers.map((each) => [each.issuer, each.name])),
    },
    groupsAllowed: new Map(issuers.map((each) => [each.issuer, new Set(each.groupsAllow)])),
    minting: { issuer, maxDepth, maxLifetimeSeconds, ceiling: 'fixed' },
    observing: undefined,
  }
  return {
    settings,
    revision,
    keys: toChainKeys(chainKey, [...verifying.values()]),
    issuers,
    revocations: good(parseRevocations(JSON.stringify(config.revocations))),
    recovery: undefined,
    nowMs: now * 1000,
    memories: createMemories({ chains: 1, decisions: 1 }),
    createId: () => '',
    random: () => 0,
    proofs: new Set(),
    stopwatch: undefined,
  }
}

function mustParse(text: string): TrustDomain {
  const trustDomain = parseTrustDomain(text)
  if (isInvalid(trustDomain)) throw new TypeError(trustDomain.reason)
  return trustDomain
}
