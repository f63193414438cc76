import { expect } from 'chai'
import * as v from 'valibot'
import { settingsSchema } from '../../src/config/schema.ts'

const least = {
  version: 1,
  listeners: [{ address: '127.0.0.1:9191', peer: 'xfcc' }],
  chain: { issuer: 'https://waywarden.hospital.example', trustDomain: 'hospital.example', keys: 'keys' },
  policy: { directory: 'policies' },
  audit: { directory: 'audit' },
}
const user = {
  name: 'hospital',
  issuer: 'https://idp.example',
  audience: 'agents',
  jwks: 'idp.json',
  clients: ['ui'],
}

describe('config-schema', () => {
  it('needs no more than what has no safe default', () => expect(pathsOf({})).to.deep.equal([]))

  const refused: readonly { readonly change: object; readonly want: string }[] = [
    { change: { version: undefined }, want: 'version' },
    { change: { version: '1' }, want: 'version' },
    { change: { listeners: [] }, want: 'listeners' },
    { change: { listeners: [{ address: '127.0.0.1:9191' }] }, want: 'listeners.0.peer' },
    { change: { listeners: [{ ...least.listeners[0], plaintext: 'yes' }] }, want: 'listeners.0.plaintext' },
    {
      change: { listeners: [{ ...least.listeners[0], tls: { cert: 'tls.crt' } }] },
      want: 'listeners.0.tls.key',
    },
    {
      change: { listeners: [{ ...least.listeners[0], maxConcurrentStreams: 0 }] },
      want: 'listeners.0.maxConcurrentStreams',
    },
    { change: { chain: { ...least.chain, issuer: 'http://a.example' } }, want: 'chain.issuer' },
    { change: { chain: { ...least.chain, header: 'Actor-Chain' } }, want: 'chain.header' },
    { change: { chain: { ...least.chain, header: 'a b' } }, want: 'chain.header' },
    { change: { chain: { ...least.chain, maxDepth: 0 } }, want: 'chain.maxDepth' },
    { change: { chain: { ...least.chain, maxDepth: 9 } }, want: 'chain.maxDepth' },
    { change: { chain: { ...least.chain, maxDepth: 1.5 } }, want: 'chain.maxDepth' },
    { change: { chain: { ...least.chain, hopLifetime: '0s' } }, want: 'chain.hopLifetime' },
    { change: { chain: { ...least.chain, ceiling: 'none' } }, want: 'chain.ceiling' },
    { change: { users: [{ ...user, audience: '' }] }, want: 'users.0.audience' },
    { change: { users: [{ ...user, audience: [] }] }, want: 'users.0.audience' },
    { change: { users: [{ ...user, clients: undefined }] }, want: 'users.0.clients' },
    { change: { users: [{ ...user, clients: [] }] }, want: 'users.0.clients' },
    { change: { users: [{ ...user, clients: 'all' }] }, want: 'users.0.clients' },
    { change: { users: [{ ...user, provider: 'ping' }] }, want: 'users.0.provider' },
    ...['/', '//', '/a/', '/a~2b', '/a~'].map((groups) => ({
      change: { users: [{ ...user, groups }] },
      want: 'users.0.groups',
    })),
    { change: { users: [{ ...user, name: 'hos/pital' }] }, want: 'users.0.name' },
    { change: { users: [{ ...user, userClaim: '' }] }, want: 'users.0.userClaim' },
    { change: { users: [{ ...user, groupsAbsent: 'allow' }] }, want: 'users.0.groupsAbsent' },
    {
      change: { ingress: { peers: [{ id: 'spiffe://hospital.example', issuers: [] }] } },
      want: 'ingress.peers.0.id',
    },
    { change: { audit: { directory: 'audit', mode: 'none' } }, want: 'audit.mode' },
    {
      change: { audit: { directory: 'audit', retention: { age: '5m' } } },
      want: 'audit.retention.age',
    },
    {
      change: { audit: { directory: 'audit', retention: { size: '1KiB' } } },
      want: 'audit.retention.size',
    },
    { change: { audit: { directory: 'audit', retention: { count: 3 } } }, want: 'audit.retention.count' },
    { change: { audit: { directory: 'audit', segmentSize: 64 } }, want: 'audit.segmentSize' },
    { change: { log: { level: 'trace' } }, want: 'log.level' },
    { change: { deadline: 150 }, want: 'deadline' },
    { change: { deadline: '1h' }, want: 'deadline' },
    { change: { maxInFlight: -1 }, want: 'maxInFlight' },
  ]
  for (const { change, want } of refused) {
    it(`refuses ${JSON.stringify(change, (_, value) => value ?? null)} at ${want}`, () => {
      expect(pathsOf(change)).to.deep.equal([want])
    })
  }
})

function pathsOf(change: object): readonly string[] {
  const { issues = [] } = v.safeParse(settingsSchema, JSON.parse(JSON.stringify({ ...least, ...change })))
  return issues.map((issue) => v.getDotPath(issue) ?? '')
}
