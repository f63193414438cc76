import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import fc from 'fast-check'
import { foldName } from '../../../src/base/http/header-name.ts'
import {
  type HeaderNames,
  overridingHeaders,
  type Removing,
  removalsOf,
} from '../../../src/decision/check/removals.ts'

const names: HeaderNames = {
  chain: 'actor-chain',
  userToken: ['authorization', 'x-forwarded-access-token'],
  ids: ['traceparent', 'mcp-session-id'],
  unusable: () => [],
}
const agent: Removing = {
  caller: { isIngress: false },
  isObserving: false,
  hasChild: true,
  more: [],
  keepsUserToken: false,
}
const ingress: Removing = { ...agent, caller: { isIngress: true } }
const observed: Removing = { ...agent, isObserving: true }
const removed = (received: readonly string[], removing: Removing, own = names) =>
  removalsOf(new Map(received.map((name) => [name, ['']])), own, removing)

const punctuation = [..."!#$%&'*+-.^_`|~"]

describe('decision/check/removals', () => {
  const table: readonly {
    readonly name: string
    readonly removing: Removing
    readonly removes: readonly string[]
    readonly keeps: readonly string[]
  }[] = [
    {
      name: 'of an agent, what overrides the method or the path',
      removing: agent,
      removes: [
        ...overridingHeaders,
        'x-forwarded-prefix',
        'x_forwarded.prefix',
        'X!Original!Url'.toLowerCase(),
      ],
      keeps: ['authorization', 'x-forwarded-access-token', 'x-forwarded-for', 'host', 'x-other', 'cookie'],
    },
    {
      name: 'of an ingress peer, the token of the user, and not its own prefix',
      removing: ingress,
      removes: [
        ...overridingHeaders,
        'authorization',
        'x-forwarded-access-token',
        'x.forwarded.access.token',
        'x_forwarded_prefix',
      ],
      keeps: ['x-forwarded-prefix', 'x-other'],
    },
    {
      name: 'of an ingress peer, what overrides the request, where the service keeps the token of the user',
      removing: { ...ingress, keepsUserToken: true },
      removes: [...overridingHeaders, 'x_forwarded_prefix', 'actor_chain'],
      keeps: ['authorization', 'x-forwarded-access-token', 'x-forwarded-prefix', 'x-other'],
    },
    {
      name: 'of an agent, twins of the chain, of the identity and of ids, and not the headers themselves',
      removing: agent,
      removes: ['actor.chain', 'actor_chain', 'x_forwarded_client_cert', 'mcp_session_id', 'mcp.session~id'],
      keeps: ['actor-chain', 'x-forwarded-client-cert', 'mcp-session-id', 'traceparent', 'actor--chain'],
    },
    {
      name: 'without a child, the chain, too',
      removing: { ...agent, hasChild: false },
      removes: ['actor-chain', 'actor.chain'],
      keeps: [],
    },
    {
      name: 'for a service, the headers that it lists, in every spelling',
      removing: { ...agent, more: ['x-tenant', 'x-original-url'] },
      removes: ['x-tenant', 'x.tenant', 'x-original-url'],
      keeps: ['x-tenants'],
    },
    {
      name: 'for a service that lists the chain, no child of ours',
      removing: { ...agent, more: ['actor_chain', 'actor-chain'] },
      removes: ['actor_chain'],
      keeps: ['actor-chain'],
    },
    {
      name: 'while observing, twins of the chain and of ids alone',
      removing: { ...observed, more: ['x-tenant'] },
      removes: ['actor_chain', 'mcp.session.id'],
      keeps: ['x-original-url', 'x_forwarded_client_cert', 'x-tenant', 'authorization', 'actor-chain'],
    },
  ]
  for (const { name, removing, removes, keeps } of table) {
    it(`removes ${name}`, () => {
      const list = removed([...removes, ...keeps], removing)
      expect(list).to.include.members([...removes])
      for (const kept of keeps) expect(list).to.not.include(kept)
      expect(new Set(list).size).to.equal(list.length)
    })
  }

  it('removes ids that two readers could read differently, also while observing', () => {
    const own = { ...names, unusable: () => ['traceparent'] }
    expect(removed(['traceparent'], observed, own)).to.deep.equal(['traceparent'])
    expect(removed(['traceparent'], agent, own)).to.include('traceparent')
  })

  it('gives the same list for all requests without twins, so that it is encoded once', () => {
    for (const removing of [agent, ingress, observed, { ...agent, hasChild: false }]) {
      const lists = [[], ['x-other'], ['x_other', ':path']].map((received) => removed(received, removing))
      expect(new Set(lists).size).to.equal(1)
    }
  })

  it('leaves nothing that a CGI-like server takes for a header of ours', () => {
    const own = [...overridingHeaders, 'x-forwarded-prefix', 'actor-chain', 'x-tenant', 'mcp-session-id']
    const twisted = fc
      .tuple(
        fc.constantFrom(...own),
        fc.array(fc.constantFrom(...punctuation), { minLength: 5, maxLength: 5 }),
      )
      .map(([name, others]) => name.replace(/-/g, () => others.pop() ?? '_'))
    const removing = { ...agent, hasChild: false, more: ['x-tenant'] }
    fc.assert(
      fc.property(fc.uniqueArray(twisted, { maxLength: 8 }), (received) => {
        const list = new Set(removed(received, removing))
        const left = received.filter((name) => !list.has(name) && name !== 'mcp-session-id')
        expect(left.map(foldName).filter((fold) => own.includes(fold))).to.deep.equal([])
      }),
      { numRuns: 1000 },
    )
  })

  it('is the list that the policy guide has', () => {
    const guide = readFileSync('docs/policy-guide.md', 'utf8')
    const section = /### Headers that are removed\n([\s\S]*?)\n###? /.exec(guide)?.[1] ?? ''
    const listed = [...section.matchAll(/^\| ((?:`[a-z-]+`,? ?)+) \|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`([a-z-]+)`/g)].map(([, name = '']) => name),
    )
    expect(listed.sort()).to.deep.equal([...overridingHeaders, 'x-forwarded-prefix'].sort())
  })
})
