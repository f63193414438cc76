import { forge, signer } from './forge.ts'
import { accessClaims, accessHeader, chainClaims, chainHeader, uris } from './hospital.ts'

/** One Check as Envoy sends it: gRPC metadata, and a CheckRequest in the shape of proto/. */
export type CheckCase = {
  readonly name: string
  readonly why: string
  readonly peer: 'xfcc' | 'metadata'
  readonly metadata: Readonly<Record<string, readonly string[]>>
  readonly message: Readonly<Record<string, unknown>>
}

type Sketch = {
  readonly name: string
  readonly why: string
  readonly peer?: CheckCase['peer']
  readonly metadata?: CheckCase['metadata']
  readonly to: keyof typeof vips
  readonly method?: string
  readonly path: string
  readonly host?: string
  readonly caller?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly headerMap?: readonly (readonly [key: string, value: string])[]
}

const vips = {
  'billing-agent': '10.96.0.4',
  'insurance-agent': '10.96.0.2',
  insurance: '10.96.0.10',
  insuranceMapped: '::FFFF:10.96.0.10',
  'patient-records': '10.96.0.11',
  nobody: '10.96.9.9',
} as const

const chain = (claims: object = {}) => forge(chainHeader, { ...chainClaims, ...claims }, signer('chain'))
const held = { 'actor-chain': chain() }
const token = `Bearer ${forge(accessHeader, accessClaims, signer('hospital-idp'))}`
const heldByA = { 'actor-chain': chain({ aud: uris.agentA, act: undefined, par_hash: undefined }) }
const proven = {
  'x-waypoint-peer-principal': [uris.agentD],
  'x-waypoint-local-principal': [uris.waypoint],
  'x-waypoint-authority': ['10.96.0.10:8080'],
  'x-waypoint-service': ['inbound-vip|8080|http|insurance.hospital.svc.cluster.local'],
}
const record = { to: 'patient-records', path: '/patients/p-7' } as const
const coverage = { to: 'insurance', path: '/coverage/p-7' } as const
const task = { method: 'POST', path: '/tasks' } as const

const sketches: readonly Sketch[] = [
  {
    name: 'first-hop',
    why: "the user's token becomes a chain, and stays at ingress",
    to: 'billing-agent',
    ...task,
    caller: uris.gateway,
    headers: { authorization: token },
  },
  {
    name: 'second-hop',
    why: 'agent A becomes the actor of the chain that D gets',
    to: 'insurance-agent',
    ...task,
    caller: uris.agentA,
    headers: heldByA,
  },
  { name: 'last-hop', why: 'a service that calls nobody gets no chain', ...coverage, headers: held },
  {
    name: 'metadata',
    why: 'the identity comes in call metadata, which no client can reach',
    peer: 'metadata',
    metadata: proven,
    ...coverage,
    headers: held,
  },
  {
    name: 'metadata-forged-header',
    why: 'a client header of the same name proves nothing',
    peer: 'metadata',
    metadata: { 'x-waypoint-service': proven['x-waypoint-service'] },
    ...coverage,
    headers: { ...held, 'x-waypoint-peer-principal': uris.agentD },
  },
  {
    name: 'record-for-the-clerk',
    why: 'three principals refuse; the client learns the code alone',
    ...record,
    headers: held,
  },
  {
    name: 'host-lie',
    why: 'the service is where the request goes, not what `Host` says',
    ...record,
    host: 'insurance',
    headers: held,
  },
  {
    name: 'foreign-token',
    why: "a token of somebody else's passes untouched and adds no right",
    ...coverage,
    headers: { ...held, authorization: 'Bearer opaque' },
  },
  { name: 'replay', why: "D presents A's chain", ...coverage, headers: heldByA },
  { name: 'no-chain', why: 'a missing chain never means more authority', ...coverage },
  {
    name: 'two-chains',
    why: 'two header values, apart as in `header_map`',
    ...coverage,
    headerMap: [
      ['actor-chain', held['actor-chain']],
      ['actor-chain', held['actor-chain']],
    ],
  },
  {
    name: 'override-headers',
    why: 'what some servers take for the method or path is removed',
    ...coverage,
    headers: { ...held, 'x-http-method-override': 'DELETE', 'x-original-url': '/admin' },
  },
  {
    name: 'twin-headers',
    why: 'what CGI-like servers take for headers of ours is removed, and what is foreign stays',
    ...coverage,
    headers: {
      ...held,
      'actor.chain': 'x',
      'x!original!url': '/admin',
      x_other: '1',
      'x-forwarded-prefix': '/admin',
    },
  },
  {
    name: 'token-in-query',
    why: "the user's own token, presented by an agent",
    to: 'insurance',
    path: `/coverage/p-7?access_token=${token.slice('Bearer '.length)}`,
    headers: held,
  },
  {
    name: 'method-in-query',
    why: 'some frameworks would take POST for DELETE, and no answer can remove it',
    to: 'insurance-agent',
    ...task,
    path: '/tasks?_method=DELETE',
    caller: uris.agentA,
    headers: heldByA,
  },
  {
    name: 'path-in-other-letters',
    why: 'a server that folds case would take another route',
    to: 'patient-records',
    path: '/PATIENTS/p-7',
    headers: held,
  },
  {
    name: 'address-in-other-letters',
    why: 'an IPv4-mapped IPv6 address is the VIP',
    to: 'insuranceMapped',
    host: 'insurance',
    path: '/coverage/p-7',
    headers: held,
  },
  {
    name: 'odd-path',
    why: 'a path that two parsers read differently',
    to: 'patient-records',
    path: '/patients/..%2fadmin',
    headers: held,
  },
  {
    name: 'unknown-service',
    why: 'a VIP that the catalog does not name',
    to: 'nobody',
    path: '/',
    headers: held,
  },
  {
    name: 'websocket',
    why: 'one check would cover the whole connection',
    ...coverage,
    headers: { ...held, upgrade: 'websocket', connection: 'upgrade' },
  },
]

/** Every case, in the shape that the wire has. */
export const checkCases: readonly CheckCase[] = [
  ...sketches.map(toCase),
  {
    name: 'plain-tcp',
    why: 'a connection without an HTTP request',
    peer: 'xfcc',
    metadata: {},
    message: { attributes: { destination: toAddress('10.96.0.10') } },
  },
]

function toCase({
  name,
  why,
  peer = 'xfcc',
  metadata = {},
  to,
  method = 'GET',
  path,
  host,
  caller = uris.agentD,
  headers = {},
  headerMap,
}: Sketch): CheckCase {
  const xfcc = { 'x-forwarded-client-cert': `By=${uris.waypoint};URI=${caller}` }
  const all = { ':method': method, ':path': path, ...(peer === 'xfcc' ? xfcc : {}), ...headers }
  const pairs = [...Object.entries(all), ...(headerMap ?? [])]
  const carried =
    headerMap === undefined
      ? { headers: all }
      : { header_map: { headers: pairs.map(([key, value]) => ({ key, raw_value: Buffer.from(value) })) } }
  const http = { method, path, host: host ?? to, scheme: 'http', protocol: 'HTTP/1.1', ...carried }
  return {
    name,
    why,
    peer,
    metadata,
    message: { attributes: { destination: toAddress(vips[to]), request: { http } } },
  }
}

function toAddress(address: string) {
  return { address: { socket_address: { address, port_value: 8080 } } }
}
