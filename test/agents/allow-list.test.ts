import { expect } from 'chai'
import { createActorChain, runWithChain } from '../../agents/node/actor-chain.js'

const chain = 'eyJh.eyJz.c2ln'

describe('agents/node/allow-list', () => {
  const cases: readonly { name: string; allow: readonly string[]; url: string; want: boolean }[] = [
    { name: 'a listed host', allow: ['insurance.svc'], url: 'http://insurance.svc/x', want: true },
    {
      name: 'any port of a listed host',
      allow: ['insurance.svc'],
      url: 'http://insurance.svc:8080',
      want: true,
    },
    { name: 'a listed port', allow: ['insurance.svc:8080'], url: 'http://insurance.svc:8080', want: true },
    { name: 'a default port', allow: ['insurance.svc:443'], url: 'https://insurance.svc', want: true },
    { name: 'upper case', allow: ['Insurance.svc'], url: 'http://INSURANCE.svc', want: true },
    {
      name: 'a name with its final dot',
      allow: ['insurance.svc'],
      url: 'http://insurance.svc./',
      want: true,
    },
    { name: 'a host below a suffix', allow: ['.cluster.local'], url: 'http://a.b.cluster.local', want: true },
    { name: 'a listed address', allow: ['10.96.0.10:8080'], url: 'http://10.96.0.10:8080', want: true },
    { name: 'a listed IPv6 address', allow: ['[::1]:80'], url: 'http://[::1]/', want: true },
    { name: 'another port', allow: ['insurance.svc:8080'], url: 'http://insurance.svc:80', want: false },
    { name: 'another host', allow: ['insurance.svc'], url: 'http://example.com', want: false },
    {
      name: 'a host that ends alike',
      allow: ['.cluster.local'],
      url: 'http://evilcluster.local',
      want: false,
    },
    { name: 'the suffix itself', allow: ['.cluster.local'], url: 'http://cluster.local', want: false },
    {
      name: 'a listed name in front of another',
      allow: ['insurance.svc', '.cluster.local'],
      url: 'http://insurance.svc.cluster.local.example.com',
      want: false,
    },
    {
      name: 'a host in the user part',
      allow: ['insurance.svc'],
      url: 'http://insurance.svc@a.com',
      want: false,
    },
    {
      name: 'a host behind a backslash',
      allow: ['insurance.svc'],
      url: 'http://a.com\\@insurance.svc',
      want: false,
    },
    { name: 'an unlisted address', allow: ['.cluster.local'], url: 'http://10.96.0.10', want: false },
    { name: 'an address written otherwise', allow: ['insurance.svc'], url: 'http://0x7f.1', want: false },
    { name: 'another scheme', allow: ['insurance.svc'], url: 'ftp://insurance.svc', want: false },
    { name: 'no URL', allow: ['insurance.svc'], url: 'insurance.svc', want: false },
    { name: 'an empty list', allow: [], url: 'http://insurance.svc', want: false },
  ]
  for (const { name, allow, url, want } of cases) {
    it(`${want ? 'sends the chain to' : 'keeps the chain from'} ${name}`, () => {
      const headers = runWithChain(chain, () => createActorChain({ allow }).headersFor(url))
      expect(headers).to.deep.equal(want ? { 'actor-chain': chain } : {})
    })
  }

  for (const entry of [
    '',
    '*',
    '.',
    '.com',
    '.0.10',
    'http://a.svc',
    'a.svc/x',
    '*.a.svc',
    'a.svc:',
    'a b',
  ]) {
    it(`refuses the entry \`${entry}\``, () => {
      expect(() => createActorChain({ allow: [entry] }))
        .to.throw()
        .with.property('code', 'allow_list_invalid')
    })
  }
})
