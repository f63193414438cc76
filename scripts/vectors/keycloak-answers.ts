import { uris } from '../../test/support/hospital.ts'
import { type Change, keycloak, presentOf, type Want } from './providers.ts'
import type { Vector } from './vector.ts'

const named = (claim: string) => ['token_invalid', claim] as const
const lacksAudience = ['token_audience', 'hospital-agents'] as const
const uuid = '07f97073-9196-4b8b-b7a5-7f1d3c0a8c11'
const byDefault = { aud: 'account', groups: undefined, sub: uuid }
const lightweight = { sub: undefined, preferred_username: undefined }
const none = { groupsAbsent: 'none' } as const

type Row = readonly [name: string, why: string, want: Want, change: Change, groups?: readonly string[]]

/** Tokens as a real Keycloak 26.7.3 wrote them, one kind of client or mapper after the other, and the answers. */
const rows: readonly Row[] = [
  ['default-client', 'made with defaults', lacksAudience, { claims: byDefault }],
  [
    'default-audience',
    'no client role, no `aud`',
    lacksAudience,
    { claims: { ...byDefault, aud: undefined } },
  ],
  ['audience-mapper', 'the group mapper is missing', named('groups'), { claims: { groups: undefined } }],
  [
    'full-path',
    'the default of the group mapper',
    'accepted',
    { claims: { groups: ['/billing'] } },
    ['billing'],
  ],
  [
    'full-path-configured',
    'allowed as Keycloak writes it',
    'accepted',
    { claims: { groups: ['/billing', '/staff/night'] }, user: { groupsAllow: ['/billing', '/staff/night'] } },
    ['/billing', '/staff/night'],
  ],
  ['group-mapper', 'both mappers', 'accepted', {}, ['billing']],
  [
    'no-group',
    'Keycloak leaves the claim out',
    named('groupsAbsent: none'),
    { claims: { groups: undefined } },
  ],
  ['no-group-accepted', 'configured', 'accepted', { claims: { groups: undefined }, user: none }, []],
  [
    'roles',
    'where Keycloak puts roles by itself',
    'accepted',
    {
      claims: { ...byDefault, aud: 'hospital-agents', realm_access: { roles: ['billing'] } },
      user: { id: 'sub', groups: '/realm_access/roles' },
    },
    ['billing'],
  ],
  [
    'roles-by-dots',
    'as its administrators write paths',
    named('groups: /realm_access/roles'),
    { claims: { realm_access: { roles: ['billing'] } }, user: { groups: 'realm_access.roles' } },
  ],
  ['rfc9068', 'a client attribute', 'accepted', { header: { typ: 'at+jwt' } }],
  [
    'hs256',
    'a secret that only Keycloak has',
    named('another-kid'),
    { header: { alg: 'HS256', kid: 'another-kid' } },
  ],
  [
    'lightweight',
    'no audience',
    lacksAudience,
    { claims: { ...lightweight, aud: undefined, groups: undefined } },
  ],
  ['lightweight-mapped', 'no name', named('preferred_username'), { claims: lightweight }],
  [
    'without-basic',
    '`sub` comes from the scope `basic`',
    named('sub'),
    { claims: { sub: undefined }, user: { id: 'sub' } },
  ],
  ['sub', 'a UUID', 'accepted', { claims: { sub: uuid }, user: { id: 'sub' } }],
  ['code-flow', 'a login in the browser', 'accepted', { claims: { acr: '1' } }],
  ['nonce', 'a mapper for old adapters', 'accepted', { claims: { nonce: 'n-0S6' } }],
  [
    'offline',
    'a session that outlives the login',
    'accepted',
    { claims: { scope: 'openid offline_access' } },
  ],
  [
    'id-token',
    'its kind before its audience',
    named('typ'),
    { claims: { typ: 'ID', aud: 'hospital-ui', at_hash: 'x' } },
  ],
  [
    'refresh-token',
    'signed with a secret',
    named('refresh'),
    { header: { alg: 'HS512', kid: 'refresh' }, claims: { typ: 'Refresh' } },
  ],
  [
    'client-credentials',
    'a service account',
    named('clientHost'),
    { claims: { sid: undefined, clientHost: '10.0.0.7', preferred_username: 'service-account-hospital-ui' } },
  ],
  [
    'dpop-as-bearer',
    'bound to a key',
    named('cnf'),
    { claims: { typ: 'DPoP', cnf: { jkt: '0ZcOCORZNYy' } } },
  ],
  ['exchanged', 'standard exchange: only `azp` differs', named('agent-a'), { claims: { azp: 'agent-a' } }],
  [
    'exchanged-any',
    'any client, as the configuration says',
    'accepted',
    { claims: { azp: 'agent-a' }, user: { clients: 'any' } },
  ],
  ['exchanged-actor', 'an actor that nobody saw act', named('act'), { claims: { act: { sub: uuid } } }],
]

/** The answers to what Keycloak writes, so that each reason leads to its cause. */
export function keycloakAnswerVectors(): readonly Vector[] {
  const vectors = rows.map(([name, why, want, change, groups]) => {
    const vector = presentOf(keycloak, `answer-${name}`, why, want, change)
    const id = change.user?.id === 'sub' ? uuid : 'clerk'
    return groups === undefined ? vector : { ...vector, wantSubject: { issuerName: 'hospital', id, groups } }
  })
  return [...vectors, ...inOtherHeaders()]
}

function inOtherHeaders(): readonly Vector[] {
  const user = presentOf(keycloak, 'answer-user', '', 'accepted')
  const token = user.request.headers['authorization']?.[0]?.replace('Bearer ', '') ?? ''
  const withHeaders = (headers: Vector['request']['headers']) => ({
    ...user.request,
    headers: { ...user.request.headers, ...headers },
  })
  return [
    {
      ...user,
      name: 'keycloak-answer-dpop',
      why: 'bound to a key',
      want: 'token_invalid',
      wantNamed: 'DPoP',
      request: withHeaders({ authorization: [`DPoP ${token}`] }),
    },
    {
      ...user,
      name: 'keycloak-answer-from-agent',
      why: 'an agent kept it',
      want: 'token_from_agent',
      request: withHeaders({ 'x-forwarded-client-cert': [`By=${uris.waypoint};URI=${uris.agentA}`] }),
    },
  ]
}
