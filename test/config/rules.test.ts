import { expect } from 'chai'
import { isInvalid } from '../../src/base/model/invalid.ts'
import {
  parseSpiffeId,
  parseTrustDomain,
  type SpiffeId,
  type TrustDomain,
} from '../../src/base/model/spiffe-id.ts'
import type { Draft } from '../../src/config/conflict.ts'
import { findConflicts } from '../../src/config/rules.ts'
import type { Settings } from '../../src/config/settings.ts'

const here = { address: '127.0.0.1', port: 9191 }
const open = { address: '0.0.0.0', port: 9191 }
const open6 = { address: '::', port: 9191 }
const socket = { path: '/run/waywarden/ext-authz.sock' }
const tls = { cert: 'tls.crt', key: 'tls.key' }
const mutualTls = { ...tls, clientCa: 'mesh.crt' }
const gateway = spiffeId('spiffe://hospital.example/ns/istio-ingress/sa/gateway')
const trustDomain = domain('hospital.example')

const user = { issuer: 'https://a.example', audience: 'agents', userClaim: 'login' }

describe('config-rules', () => {
  const cases: readonly {
    readonly name: string
    readonly draft: Draft<Settings>
    readonly want: readonly string[]
  }[] = [
    { name: 'nothing that is known', draft: undefined, want: [] },
    {
      name: 'a listener on loopback without certificates',
      draft: { listeners: [{ address: here, peer: 'xfcc' }] },
      want: [],
    },
    {
      name: 'a listener beyond loopback without certificates',
      draft: { listeners: [{ address: open }] },
      want: ['listeners.0.address'],
    },
    { name: 'the same with IPv6', draft: { listeners: [{ address: open6 }] }, want: ['listeners.0.address'] },
    {
      name: 'certificates of its own alone',
      draft: { listeners: [{ address: open, tls }] },
      want: ['listeners.0.address'],
    },
    {
      name: 'client certificates beyond loopback',
      draft: { listeners: [{ address: open, tls: mutualTls }] },
      want: [],
    },
    {
      name: 'a port that ztunnel guards',
      draft: { listeners: [{ address: open, plaintext: 'behind-ztunnel' }] },
      want: [],
    },
    {
      name: 'ztunnel and client certificates at once',
      draft: { listeners: [{ address: open, tls: mutualTls, plaintext: 'behind-ztunnel' }] },
      want: ['listeners.0.plaintext'],
    },
    { name: 'recovery in one process', draft: { workers: 1, recovery: { trace: true } }, want: [] },
    {
      name: 'recovery by workers that do not know of each other',
      draft: { workers: 2, recovery: { trace: true } },
      want: ['recovery'],
    },
    {
      name: 'a Unix socket without certificates',
      draft: { listeners: [{ address: socket, peer: 'xfcc', socketAccess: 'group' }] },
      want: [],
    },
    {
      name: 'ztunnel before a Unix socket',
      draft: { listeners: [{ address: socket, plaintext: 'behind-ztunnel' }] },
      want: ['listeners.0.plaintext'],
    },
    {
      name: 'access to a socket where there is a port',
      draft: { listeners: [{ address: here, socketAccess: 'owner' }] },
      want: ['listeners.0.socketAccess'],
    },
    {
      name: 'two listeners on one Unix socket',
      draft: { listeners: [{ address: socket }, { address: socket }] },
      want: ['listeners.1.address'],
    },
    {
      name: 'a Unix socket that believes source.principal without client certificates',
      draft: { listeners: [{ address: socket, peer: 'principal' }] },
      want: ['listeners.0.peer'],
    },
    {
      name: 'reflection where nobody answers it',
      draft: { listeners: [{ address: here, transport: 'lean', reflection: true }] },
      want: ['listeners.0.reflection'],
    },
    {
      name: 'the lean transport without reflection, and grpc-js with it',
      draft: {
        listeners: [
          { transport: 'lean', reflection: false },
          { transport: 'grpc-js', reflection: true },
        ],
      },
      want: [],
    },
    {
      name: 'principal without client certificates',
      draft: { listeners: [{ address: here, peer: 'principal', tls }] },
      want: ['listeners.0.peer'],
    },
    {
      name: 'principal with client certificates',
      draft: { listeners: [{ address: here, peer: 'principal', tls: mutualTls }] },
      want: [],
    },
    {
      name: 'one port twice',
      draft: { listeners: [{ address: here }, { address: here }] },
      want: ['listeners.1.address'],
    },
    {
      name: 'the admin port again',
      draft: { listeners: [{ address: here }], admin: { address: here } },
      want: ['admin.address'],
    },
    {
      name: 'ports that the system chooses',
      draft: { listeners: [{ address: { ...here, port: 0 } }], admin: { address: { ...here, port: 0 } } },
      want: [],
    },
    {
      name: 'a hop that outlives its chain',
      draft: { chain: { hopLifetime: 2, maxLifetime: 1 } },
      want: ['chain.hopLifetime'],
    },
    {
      name: 'a hop that lives as long as its chain',
      draft: { chain: { hopLifetime: 1, maxLifetime: 1 } },
      want: [],
    },
    ...[
      'authorization',
      'cookie',
      'host',
      'content-length',
      'x-forwarded-client-cert',
      'x-envoy-peer-metadata',
      'x-waypoint-service',
      'x_waypoint.service',
      'proxy_authorization',
    ].map((header) => ({
      name: `the header ${header}`,
      draft: { chain: { header } },
      want: ['chain.header'],
    })),
    { name: 'a header of its own', draft: { chain: { header: 'x-actor-chain' } }, want: [] },
    {
      name: 'a chain header among the copies of the token',
      draft: { chain: { header: 'actor-chain' }, ingress: { tokenCopies: ['x-token', 'actor-chain'] } },
      want: ['ingress.tokenCopies.1'],
    },
    {
      name: 'a chain header in other letters among the copies of the token',
      draft: { chain: { header: 'actor-chain' }, ingress: { tokenCopies: ['actor_chain'] } },
      want: ['ingress.tokenCopies.0'],
    },
    {
      name: 'an ingress peer of another trust domain',
      draft: { chain: { trustDomain: domain('clinic.example') }, ingress: { peers: [{ id: gateway }] } },
      want: ['ingress.peers.0.id'],
    },
    {
      name: 'an ingress peer of our own',
      draft: { chain: { trustDomain }, ingress: { peers: [{ id: gateway }] } },
      want: [],
    },
    {
      name: 'an ingress peer twice',
      draft: { ingress: { peers: [{ id: gateway }, { id: gateway }] } },
      want: ['ingress.peers.1.id'],
    },
    {
      name: 'an ingress peer without issuers',
      draft: { ingress: { peers: [{ issuers: [] }] } },
      want: ['ingress.peers.0.issuers'],
    },
    {
      name: 'an issuer that is no user entry',
      draft: {
        ingress: { peers: [{ issuers: ['hospital', 'clinic'] }] },
        users: [{ name: 'hospital', jwks: 'a' }],
      },
      want: ['ingress.peers.0.issuers.1'],
    },
    {
      name: 'an issuer that may be a user entry with a bad name',
      draft: { ingress: { peers: [{ issuers: ['clinic'] }] }, users: [{ name: undefined, jwks: 'a' }] },
      want: [],
    },
    {
      name: 'two users entries of one name and issuer',
      draft: {
        users: [
          { jwks: 'a', name: 'a', ...user },
          { jwks: 'a', name: 'a', ...user },
        ],
      },
      want: ['users.1.name', 'users.1.issuer'],
    },
    {
      name: 'ourselves as identity provider',
      draft: { chain: { issuer: 'https://a.example' }, users: [{ ...user, jwks: 'a' }] },
      want: ['users.0.issuer'],
    },
  ]
  for (const { name, draft, want } of cases) {
    it(`${want.length === 0 ? 'accepts' : 'refuses'} ${name}`, () => {
      expect(findConflicts(draft).map(({ path }) => path.join('.'))).to.deep.equal(want)
    })
  }
})

function spiffeId(text: string): SpiffeId {
  const id = parseSpiffeId(text)
  if (isInvalid(id)) throw new RangeError(id.reason)
  return id
}

function domain(text: string): TrustDomain {
  const name = parseTrustDomain(text)
  if (typeof name !== 'string') throw new RangeError(name.reason)
  return name
}
