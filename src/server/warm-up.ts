import type { Caller } from '../base/model/caller.ts'
import type { FirstHop } from '../base/model/chain.ts'
import { isDeny } from '../base/model/decision.ts'
import { isInvalid } from '../base/model/invalid.ts'
import { parseSpiffeId } from '../base/model/spiffe-id.ts'
import type { Service } from '../base/model/target.ts'
import type { Config } from '../config/config.ts'
import { mintChild } from '../decision/chain/extend.ts'
import type { ChainKeys } from '../decision/chain/keys.ts'
import { verifySignedChain } from '../decision/chain/verify.ts'
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
