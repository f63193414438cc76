import type { Caller } from '../../src/base/model/caller.ts'
import type { FirstHop } from '../../src/base/model/chain.ts'
import type { Service } from '../../src/base/model/target.ts'
import type { MintOptions } from '../../src/decision/chain/extend.ts'
import type { ChainTrust } from '../../src/decision/chain/verify.ts'
import { toKeySet } from '../../src/decision/jws/key-set.ts'
import { parseSigningKey, type SigningKey } from '../../src/decision/jws/signing-key.ts'
import { good, readKey, spiffeId } from './forge.ts'

/** The hospital's moment: seconds since the epoch. */
export const now = 1_790_000_000
export const nowMs: number = now * 1000

export const trustDomain = 'hospital.example'
export const chainIssuer = 'https://waywarden.hospital.example'
export const hospitalIdp = 'https://idp.hospital.example/realms/hospital'
export const partnerIdp = 'https://idp.partner.example'

/** The SPIFFE IDs of all who take part. */
export const uris = {
  gateway: 'spiffe://hospital.example/ns/istio-ingress/sa/gateway',
  agentA: 'spiffe://hospital.example/ns/billing/sa/agent-a',
  agentD: 'spiffe://hospital.example/ns/billing/sa/agent-d',
  agentR: 'spiffe://hospital.example/ns/clinic/sa/agent-r',
  insurance: 'spiffe://hospital.example/ns/hospital/sa/insurance',
  waypoint: 'spiffe://hospital.example/ns/hospital/sa/waypoint',
} as const

export const chainKey: SigningKey = good(parseSigningKey(readKey('chain')))

export const trust: ChainTrust = {
  issuer: chainIssuer,
  keys: toKeySet([chainKey.public]),
  userIssuers: new Map([
    [hospitalIdp, 'hospital'],
    [partnerIdp, 'partner'],
  ]),
  maxDepth: 4,
  maxLifetimeSeconds: 3600,
}

export const mintOptions: MintOptions = {
  key: chainKey,
  issuer: chainIssuer,
  maxLifetimeSeconds: 3600,
  ceiling: 'fixed',
  maxDepth: 4,
}

/** A workload that calls, proven by its waypoint. */
export function caller(uri: string): Caller {
  const isIngress = uri === uris.gateway
  return { id: spiffeId(uri), provenBy: 'xfcc', waypoint: spiffeId(uris.waypoint), isIngress }
}

/** A service that receives, with the catalog's defaults. */
export function service(uri: string, fields: Partial<Service> = {}): Service {
  return {
    name: uri.slice(uri.lastIndexOf('/') + 1),
    spiffeId: spiffeId(uri),
    waypoint: spiffeId(uris.waypoint),
    isEntry: true,
    forwards: true,
    chainless: [],
    scopes: undefined,
    hopLifetimeSeconds: 300,
    ...fields,
  }
}

/** The clerk's own token, as ingress presents it. */
export const clerk: FirstHop = {
  kind: 'first-hop',
  subject: { issuerName: 'hospital', issuer: hospitalIdp, id: 'clerk', groups: ['billing'] },
  scopes: ['insurance:read', 'tasks:write'],
  issuedAt: now - 60,
  expiresAt: now + 1800,
  authTime: now - 600,
}

/** The `act` claim for actors, latest first. */
export function act(...actors: readonly string[]): object | undefined {
  return actors.reduceRight<object | undefined>(
    (inner, sub) => ({ sub, iss: 'spiffe://hospital.example', sub_profile: 'ai_agent', act: inner }),
    undefined,
  )
}

/** The claims of a chain token, as they are written. */
export type ChainClaims = {
  readonly ver: number
  readonly iss: string
  readonly sub: string
  readonly sub_iss: string
  readonly sub_profile: string
  readonly aud: string
  readonly iat: number
  readonly exp: number
  readonly jti: string
  readonly txn: string
  readonly scope: string
  readonly tctx: {
    readonly groups: readonly string[]
    readonly auth_time: number
    readonly root_iat: number
    readonly ceil: number
  }
  readonly act: object | undefined
  readonly par_hash: string | undefined
}

/** The claims of the clerk's chain as agent D holds it: A has called D. Written out, not made by our own minting. */
export const chainClaims: ChainClaims = {
  ver: 1,
  iss: chainIssuer,
  sub: 'clerk',
  sub_iss: hospitalIdp,
  sub_profile: 'user',
  aud: uris.agentD,
  iat: now - 60,
  exp: now + 240,
  jti: 'AZLyo6C21Hw-ihHyxA',
  txn: '97053963-771d-49cc-a4e3-20aad399c312',
  scope: 'insurance:read',
  tctx: { groups: ['billing'], auth_time: now - 600, root_iat: now - 90, ceil: now + 3500 },
  act: act(uris.agentA),
  par_hash: 'n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg',
}

/** The header of a chain token. */
export const chainHeader = { alg: 'EdDSA', kid: 'chain-1', typ: 'actor-chain+jwt' } as const

/** The claims of the clerk's access token, as Keycloak issues it. */
export const accessClaims: Readonly<Record<string, unknown>> = {
  iss: hospitalIdp,
  sub: 'clerk',
  aud: ['hospital-agents', 'account'],
  azp: 'hospital-ui',
  typ: 'Bearer',
  iat: now - 60,
  exp: now + 240,
  auth_time: now - 600,
  jti: '0d2b3f0e-2a52-4f2e-8c9c-0f4d1f5f7a11',
  sid: 'f3b5',
  scope: 'insurance:read tasks:write',
  preferred_username: 'clerk',
  groups: ['billing', 'everybody'],
  realm_access: { roles: ['user'] },
}

/** The header of an access token. */
export const accessHeader = { alg: 'RS256', kid: 'hospital-1', typ: 'JWT' } as const
