import type { ProviderName } from '../../src/base/providers/provider-rules.ts'
import { readJwks } from '../../test/support/forge.ts'
import { chainIssuer, hospitalIdp, now, partnerIdp, trustDomain, uris } from '../../test/support/hospital.ts'

/** One attack, or one honest request, in a file of its own. Times are seconds since the epoch. */
export type Vector = {
  readonly name: string
  readonly why: string
  readonly now: number
  /** Where the listener learns who calls. */
  readonly peer: 'xfcc' | 'metadata' | 'principal'
  readonly request: {
    readonly headers: Readonly<Record<string, readonly string[]>>
    readonly metadata: Readonly<Record<string, readonly string[]>>
    readonly sourcePrincipal: string
    readonly tlsPeerUris: readonly string[]
  }
  readonly config: VectorConfig
  /** `accepted`, or the code of the refusal. */
  readonly want: string
  /** The claim, header member or key that the reason of a refusal names. */
  readonly wantNamed?: string
  /** On whose behalf an accepted request comes. */
  readonly wantSubject?: {
    readonly issuerName: string
    readonly id: string
    readonly groups: readonly string[]
  }
}

/** How what decides is configured. */
type VectorConfig = {
  readonly trustDomain: string
  readonly trustDomainAliases?: readonly string[]
  readonly isMutualTls: boolean
  readonly waypoints: readonly string[]
  readonly ingressPeers: readonly string[]
  readonly chain: {
    readonly issuer: string
    readonly header: string
    readonly maxDepth: number
    readonly maxLifetimeSeconds: number
    readonly jwks: object
  }
  readonly users: readonly {
    readonly name: string
    readonly issuer: string
    readonly provider: ProviderName
    /** A list, `callee`, or missing for tokens without `aud`. */
    readonly audience?: string | readonly string[] | undefined
    readonly id: string
    readonly groups: string
    readonly groupsAllow: readonly string[]
    readonly groupsAbsent?: 'refuse' | 'none'
    readonly userClaim?: string | undefined
    readonly clients: readonly string[] | 'any'
    readonly jwks: object
  }[]
  readonly revocations: { readonly version: 1; readonly entries: readonly object[] }
}

type Fields = Pick<Vector, 'name' | 'why' | 'want'> &
  Partial<Omit<Vector, 'request' | 'config'>> & {
    /** The caller, in an XFCC header; agent D unless said otherwise. */
    readonly from?: string
    readonly request?: Partial<Vector['request']>
    readonly config?: Partial<VectorConfig>
  }

const user = { audience: 'hospital-agents', id: 'sub', groups: 'groups' }

const hospital: VectorConfig = {
  trustDomain,
  isMutualTls: false,
  waypoints: [uris.waypoint],
  ingressPeers: [uris.gateway],
  chain: {
    issuer: chainIssuer,
    header: 'actor-chain',
    maxDepth: 4,
    maxLifetimeSeconds: 3600,
    jwks: JSON.parse(readJwks('chain', 'chain-es256')),
  },
  users: [
    {
      ...user,
      name: 'hospital',
      provider: 'keycloak',
      issuer: hospitalIdp,
      groupsAllow: ['billing', 'clinicians'],
      clients: ['hospital-ui'],
      jwks: JSON.parse(readJwks('hospital-idp')),
    },
    {
      ...user,
      name: 'partner',
      provider: 'generic',
      userClaim: 'sid',
      issuer: partnerIdp,
      groupsAllow: ['billing'],
      clients: 'any',
      jwks: JSON.parse(readJwks('partner-idp')),
    },
  ],
  revocations: { version: 1, entries: [] },
}

/** A vector in the hospital; what is left out is as it should be. */
export function toVector({ from = uris.agentD, request, config, ...fields }: Fields): Vector {
  const xfcc = { 'x-forwarded-client-cert': [`By=${uris.waypoint};URI=${from}`] }
  return {
    now,
    peer: 'xfcc',
    ...fields,
    request: {
      metadata: {},
      sourcePrincipal: '',
      tlsPeerUris: [],
      ...request,
      headers: { ...xfcc, ...request?.headers },
    },
    config: { ...hospital, ...config },
  }
}
