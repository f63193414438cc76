import { uris } from '../../test/support/hospital.ts'
import { toVector, type Vector } from './vector.ts'

const { waypoint, agentD, agentR } = uris
const by = `By=${waypoint};URI=`

/** Callers: texts that must not become, or change, an identity. */
export function identityVectors(): readonly Vector[] {
  return [...xfccValues(), ...xfccConflicts(), ...metadata(), ...principals()]
}

function xfccValues(): readonly Vector[] {
  const malformed: readonly (readonly [name: string, why: string, value: string])[] = [
    ['two-uris', 'a certificate with two URI SANs: which one calls?', `${by}${agentD},${agentR}`],
    ['two-elements', 'the first element may be the client’s own', `${by}${agentR},${by}${agentD}`],
    ['two-uri-keys', 'two `URI` in one element', `${by}${agentR};URI=${agentD}`],
    ['no-uri', 'Envoy writes `-` for a certificate without URI SAN', `${by}-`],
    ['no-by', 'nobody vouches', `URI=${agentD}`],
    ['empty', 'an empty header says nothing', ''],
    [
      'gateway-form',
      'the form of gateways, whose values clients can reach',
      `${by}${agentD};Hash=00;Subject=""`,
    ],
    ['quoted', 'a quoted `URI` in a subject', `By=${waypoint};Subject="O=;URI=${agentR}";URI=${agentD}`],
    ['uri-first', 'only the form that waypoints write', `URI=${agentD};By=${waypoint}`],
    ['trailing-newline', 'nothing is trimmed', `${by}${agentD}\n`],
    [
      'scheme',
      'another scheme is another kind of name',
      `${by}https://hospital.example/ns/billing/sa/agent-d`,
    ],
    ['cyrillic', 'a confusable letter', `${by}${agentD.replace('agent', '\u0430gent')}`],
    ['zero-width', 'an invisible character', `${by}${agentD}\u200b`],
    ['upper-case-domain', 'a trust domain is not folded', `${by}${agentD.replace('hospital.', 'HOSPITAL.')}`],
    ['dot-segments', '`..` is not resolved', `${by}spiffe://hospital.example/ns/x/../billing/sa/agent-d`],
    ['percent', 'nothing is decoded', `${by}spiffe://hospital.example/ns%2fbilling/sa/agent-d`],
    ['port', 'a SPIFFE ID has no port', `${by}spiffe://hospital.example:443/ns/billing/sa/agent-d`],
    ['user-info', 'a SPIFFE ID has no user', `${by}spiffe://root@hospital.example/ns/billing/sa/agent-d`],
    ['query', 'a SPIFFE ID has no query', `${by}${agentD}?x`],
    ['trailing-slash', 'no empty segment', `${by}${agentD}/`],
    ['domain-alone', 'a trust domain is no workload', `${by}spiffe://hospital.example`],
    ['foreign-domain', 'federation is not configured', `${by}spiffe://evil.example/ns/billing/sa/agent-d`],
    [
      'foreign-waypoint',
      'a proxy of another trust domain',
      `By=spiffe://evil.example/ns/hospital/sa/waypoint;URI=${agentD}`,
    ],
  ]
  return malformed.map(([name, why, value]) => xfcc(name, why, [value], 'peer_malformed'))
}

function xfccConflicts(): readonly Vector[] {
  const proven = { config: { isMutualTls: true } } as const
  return [
    xfcc('missing', 'the waypoint is not annotated, so Envoy strips the header', [], 'peer_missing'),
    xfcc('two-values', 'two headers', [`${by}${agentR}`, `${by}${agentD}`], 'peer_conflict'),
    xfcc(
      'waypoint-calls',
      'a waypoint is never a caller',
      [`By=${uris.insurance};URI=${waypoint}`],
      'peer_conflict',
    ),
    xfcc('vouches-for-itself', 'nor for itself', [`By=${agentD};URI=${agentD}`], 'peer_conflict'),
    xfcc('wrong-by', 'the TLS peer is another one than `By`', [`${by}${agentD}`], 'peer_conflict', {
      ...proven,
      tlsPeerUris: [agentR],
    }),
    xfcc('no-tls-peer', 'nobody proved to be `By`', [`${by}${agentD}`], 'peer_conflict', proven),
    xfcc('two-tls-peers', 'a certificate with two URI SANs', [`${by}${agentD}`], 'peer_conflict', {
      ...proven,
      tlsPeerUris: [waypoint, agentR],
    }),
    xfcc('proven-by', 'the TLS peer is `By`', [`${by}${agentD}`], 'accepted', {
      ...proven,
      tlsPeerUris: [waypoint],
    }),
  ]
}

function metadata(): readonly Vector[] {
  const peer = 'x-waypoint-peer-principal'
  const local = 'x-waypoint-local-principal'
  const honest = { [peer]: [agentD], [local]: [waypoint] }
  type Case = readonly [
    name: string,
    why: string,
    metadata: Readonly<Record<string, readonly string[]>>,
    xfccValues: readonly string[],
    want: string,
  ]
  const cases: readonly Case[] = [
    ['honest', 'no client can reach the call’s metadata', honest, [], 'accepted'],
    ['with-equal-xfcc', 'both say the same', honest, [`${by}${agentD}`], 'accepted'],
    ['with-other-xfcc', 'they disagree', honest, [`${by}${agentR}`], 'peer_conflict'],
    ['with-broken-xfcc', 'what cannot be read is not equal', honest, [`${by}-`], 'peer_conflict'],
    [
      'missing',
      'the EnvoyFilter is not there; XFCC is no substitute',
      {},
      [`${by}${agentD}`],
      'peer_missing',
    ],
    ['no-local', 'nobody vouches', { [peer]: [agentD] }, [], 'peer_missing'],
    ['repeated', 'a repeated key', { ...honest, [peer]: [agentD, agentR] }, [], 'peer_conflict'],
    ['two-uris', 'two URI SANs', { ...honest, [peer]: [`${agentD},${agentR}`] }, [], 'peer_malformed'],
    ['no-uri', 'no URI SAN', { ...honest, [peer]: ['-'] }, [], 'peer_malformed'],
  ]
  return cases.map(([name, why, values, xfccOf, want]) =>
    toVector({
      name: `metadata-${name}`,
      why,
      want,
      peer: 'metadata',
      request: { metadata: values, headers: { 'x-forwarded-client-cert': xfccOf } },
    }),
  )
}

function principals(): readonly Vector[] {
  type Case = readonly [name: string, why: string, principal: string, tls: readonly string[], want: string]
  const cases: readonly Case[] = [
    ['honest', 'a proxy that ends mTLS itself, proven by its certificate', agentD, [waypoint], 'accepted'],
    ['missing', 'empty at a waypoint; the XFCC beside it is no substitute', '', [waypoint], 'peer_missing'],
    ['unproven', 'no TLS peer vouches', agentD, [], 'peer_missing'],
    ['two-tls-peers', 'a certificate with two URI SANs', agentD, [waypoint, agentR], 'peer_malformed'],
    ['common-name', 'not a SPIFFE ID', 'CN=agent-d', [waypoint], 'peer_malformed'],
  ]
  return cases.map(([name, why, sourcePrincipal, tlsPeerUris, want]) =>
    toVector({
      name: `principal-${name}`,
      why,
      want,
      peer: 'principal',
      request: { sourcePrincipal, tlsPeerUris },
      config: { isMutualTls: true },
    }),
  )
}

function xfcc(
  name: string,
  why: string,
  values: readonly string[],
  want: string,
  rest: {
    readonly tlsPeerUris?: readonly string[]
    readonly config?: { readonly isMutualTls: boolean }
  } = {},
): Vector {
  const { tlsPeerUris = [], config = {} } = rest
  const request = { tlsPeerUris, headers: { 'x-forwarded-client-cert': values } }
  return toVector({ name: `xfcc-${name}`, why, want, request, config })
}
