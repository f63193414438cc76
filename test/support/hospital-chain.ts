import type { Hospital } from '../../demo/hospital.ts'
import { idpIssuer, type User } from '../../demo/idp.ts'
import { waywardenIssuer } from '../../demo/waywarden.ts'
import { type Workload, waypoint, workloads } from '../../demo/world.ts'
import type { Caller } from '../../src/base/model/caller.ts'
import type { DelegatedChain, FirstHop } from '../../src/base/model/chain.ts'
import { isDeny } from '../../src/base/model/decision.ts'
import { isInvalid } from '../../src/base/model/invalid.ts'
import { parseSpiffeId, type SpiffeId } from '../../src/base/model/spiffe-id.ts'
import { mintChild } from '../../src/decision/chain/extend.ts'
import { loadKeys } from '../../src/decision/chain/keys-source.ts'

const lifetimeSeconds = 600

/**
 * Signs a chain with the hospital's own keys, as its waypoints would. The user came through the gateway, the actors
 * follow each other, and the holder may present it.
 */
export async function mintChain(
  hospital: Hospital,
  user: User,
  actors: readonly Workload[],
  holder: Workload,
): Promise<string> {
  const keys = await loadKeys(hospital.keys)
  if (!('signing' in keys)) throw new Error('the hospital has no signing key')
  const nowMs = Date.now()
  const [caller = 'gateway', ...earlier] = actors.toReversed()
  const chain = toChain(user, earlier, actors.length === 0, Math.floor(nowMs / 1000))
  const options = {
    key: keys.signing,
    issuer: waywardenIssuer,
    maxLifetimeSeconds: 3600,
    ceiling: 'fixed',
    maxDepth: 4,
  } as const
  const ids = { jti: crypto.randomUUID(), txn: crypto.randomUUID() }
  const signed = mintChild(chain, toCaller(caller), toService(holder), options, nowMs, ids)
  if (isDeny(signed)) throw new Error(signed.reason)
  return signed.token
}

function toChain(
  user: User,
  actors: readonly Workload[],
  isFirst: boolean,
  now: number,
): FirstHop | DelegatedChain {
  const groups = user.groups.filter((group) => group !== 'staff')
  const subject = { issuerName: 'hospital', issuer: idpIssuer, id: user.id, groups }
  const shared = { subject, scopes: [], authTime: undefined, expiresAt: now + lifetimeSeconds }
  if (isFirst) return { kind: 'first-hop', ...shared, issuedAt: now }
  return {
    kind: 'delegated',
    selfCalls: 0,
    isRecovered: false,
    ...shared,
    actors: actors.map(toSpiffeId),
    txn: crypto.randomUUID(),
    jti: crypto.randomUUID(),
    rootIssuedAt: now,
    ceiling: now + 3600,
    digest: 'parent',
  }
}

function toCaller(workload: Workload): Caller {
  const isIngress = workload === 'gateway'
  return { id: toSpiffeId(workload), provenBy: 'xfcc', waypoint: parse(waypoint), isIngress }
}

function toService(holder: Workload): Parameters<typeof mintChild>[2] {
  return {
    name: holder,
    spiffeId: toSpiffeId(holder),
    waypoint: parse(waypoint),
    isEntry: true,
    forwards: true,
    chainless: [],
    scopes: undefined,
    hopLifetimeSeconds: lifetimeSeconds,
  }
}

function toSpiffeId(workload: Workload): SpiffeId {
  return parse(workloads[workload])
}

function parse(uri: string): SpiffeId {
  const id = parseSpiffeId(uri)
  if (isInvalid(id)) throw new Error(id.reason)
  return id
}
