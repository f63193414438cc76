import type { Caller } from '../base/model/caller.ts'
import type { FirstHop } from '../base/model/chain.ts'
import { deny, isDeny } from '../base/model/decision.ts'
import { isInvalid } from '../base/model/invalid.ts'
import { parseSpiffeId } from '../base/model/spiffe-id.ts'
import type { Service } from '../base/model/target.ts'
import type { Config } from '../config/config.ts'
import { mintChild } from '../decision/chain/extend.ts'
import type { ChainKeys } from '../decision/chain/keys.ts'
import { verifySignedChain } from '../decision/chain/verify.ts'
import { signCompactJws } from '../decision/jws/signature.ts'
import { elapsedMs } from './by-deadline.ts'
import type { TokenProver } from './provider-keys/token-prover.ts'
import { StartError } from './start-context.ts'

const rounds = 20

/**
 * Signs and verifies test chains, so that the first request does not wait for the compiler. This also detects a key that
 * cannot verify its own signatures. Throws a `StartError`.
 */
export function warmUp({ chain }: Config, keys: ChainKeys, nowMs: number): void {
  const id = parseSpiffeId(`spiffe://${chain.trustDomain}/warm-up`)
  if (isInvalid(id)) return
  const now = Math.floor(nowMs / 1000)
  const subject = { issuerName: 'warm-up', issuer: chain.issuer, id: 'warm-up', groups: [] }
  const firstHop: FirstHop = {
    kind: 'first-hop',
    subject,
    scopes: [],
    issuedAt: now,
    expiresAt: now + 1,
    authTime: undefined,
  }
  const caller: Caller = { id, provenBy: 'principal', waypoint: id, isIngress: true }
  const service: Service = {
    name: 'warm-up',
    spiffeId: id,
    waypoint: id,
    isEntry: true,
    forwards: true,
    chainless: [],
    scopes: [],
    hopLifetimeSeconds: 1,
  }
  const trust = { issuer: chain.issuer, keys: keys.verifying, userIssuers: new Map<string, string>() }
  const limits = { maxDepth: 1, maxLifetimeSeconds: 1 }
  const minting = { ...limits, key: keys.signing, issuer: chain.issuer, ceiling: 'fixed' } as const
  for (let round = 0; round < rounds; round++) {
    const signed = mintChild(firstHop, caller, service, minting, nowMs, {
      jti: 'warm-up',
      txn: 'warm-up',
    })
    const proven = isDeny(signed) ? signed : verifySignedChain(signed.token, { ...trust, ...limits })
    if (isDeny(proven))
      throw new StartError([`${chain.keys}: the signing key does not verify what it signs: ${proven.reason}`])
  }
}

const patienceMs = 10_000

/**
 * Proves test tokens as those of users are proven, so that the first login waits neither for the compiler nor for a thread.
 * Throws a `StartError` if nothing can be proven.
 */
export async function warmUpProofs({ signing }: ChainKeys, prove: TokenProver): Promise<void> {
  const { alg, jwk } = signing.public
  const unmet = deny('deadline_exceeded', `none within ${patienceMs / 1000} s`)
  const need = { kind: 'need', what: 'provider_proof', issuer: 'warm-up', alg, jwk, unmet } as const
  for (let round = 0; round < rounds; round++) {
    const token = signCompactJws('warm-up', { round }, signing)
    const proof = await prove({ ...need, key: `warm-up ${round}`, token }, elapsedMs() + patienceMs)
    if (isDeny(proof))
      throw new StartError([`tokens of identity providers cannot be verified: ${proof.reason}`])
  }
}
