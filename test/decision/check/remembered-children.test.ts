import { expect } from 'chai'
import { isDeny } from '../../../src/base/model/decision.ts'
import type { SpiffeId } from '../../../src/base/model/spiffe-id.ts'
import { toChainKeys } from '../../../src/decision/chain/keys.ts'
import type { Facts } from '../../../src/decision/check/facts.ts'
import { createMemories } from '../../../src/decision/check/memories.ts'
import { extendChain, verifyChain } from '../../../src/decision/check/remembered.ts'
import { parseSigningKey } from '../../../src/decision/jws/signing-key.ts'
import type { CatalogService } from '../../../src/policy/catalog/catalog.ts'
import { factsOf, forwarding } from '../../support/built-checker.ts'
import { forge, good, readKey, signer } from '../../support/forge.ts'
import { chainClaims, chainHeader, chainKey, clerk, nowMs, uris } from '../../support/hospital.ts'
import { caller, clerk as clerkUser, delegated, hospital } from '../../support/identities.ts'
import { mustLoad, policyFiles, servicesYaml, waypoint, workload } from '../../support/policy-files.ts'

const otherKey = good(parseSigningKey(readKey('chain-es256')))
const routes = [{ match: 'GET /**', action: 'read-it' }]

/** A revision whose only service has these keys. */
const serving = (keys: object) =>
  mustLoad(policyFiles({ 'services.yaml': servicesYaml({ routes, forwards: true, ...keys }) }))

type Extending = {
  readonly chain?: Parameters<typeof extendChain>[0]
  readonly revision?: Facts['revision']
  readonly calls?: SpiffeId
  /** The callee's place among the services of the revision. */
  readonly to?: number
  readonly atMs?: number
}

/** One memory for all that follows. */
function build(jitter = 0) {
  let keys = toChainKeys(chainKey, [chainKey.public, otherKey.public])
  const facts = factsOf({ memories: createMemories({ chains: 100, decisions: 100 }), random: () => jitter })
  const rotate = () => {
    keys = toChainKeys(otherKey, [chainKey.public, otherKey.public])
  }
  const extend = ({
    chain = parent,
    revision = forwarding,
    calls = hospital.agentD,
    to = 0,
    atMs = nowMs,
  }: Extending = {}) => {
    const service = revision.catalog.services[to]
    if (service === undefined) throw new TypeError('no service')
    const signed = extendChain(chain, caller(calls), service, { ...facts, keys, revision, nowMs: atMs })
    if (isDeny(signed)) throw new TypeError(signed.reason)
    return signed
  }
  return { extend, rotate }
}

describe('decision/check/remembered: a chain from before the configuration', () => {
  it('keeps only the groups that are allowed now, and hands no other on', () => {
    const facts = factsOf()
    const tctx = { ...chainClaims.tctx, groups: ['directors', 'billing'] }
    const text = forge(chainHeader, { ...chainClaims, tctx }, signer('chain'))
    const proven = verifyChain(text, caller(hospital.agentD), facts)
    if (isDeny(proven)) throw new TypeError(proven.reason)
    expect(proven.subject.groups).to.deep.equal(['billing'])
    const [service] = forwarding.catalog.services as [CatalogService]
    const child = extendChain(proven, caller(hospital.agentD), service, facts)
    if (isDeny(child)) throw new TypeError(child.reason)
    expect(claimsOf(child.token).tctx.groups).to.deep.equal(['billing'])
  })

  it('keeps no group of a provider for which none are allowed', () => {
    const facts = factsOf()
    const settings = { ...facts.settings, groupsAllowed: new Map() }
    const text = forge(chainHeader, chainClaims, signer('chain'))
    const proven = verifyChain(text, caller(hospital.agentD), { ...facts, settings })
    if (isDeny(proven)) throw new TypeError(proven.reason)
    expect(proven.subject.groups).to.deep.equal([])
  })
})

const chain = delegated(clerkUser, [hospital.agentA], ['a'])
const parent = {
  ...chain,
  ceiling: nowMs / 1000 + 3000,
  rootIssuedAt: nowMs / 1000,
  expiresAt: nowMs / 1000 + 300,
}

describe('decision/check/remembered, children', () => {
  it('hands out a child again in the first quarter of its life, and then another', () => {
    const { extend } = build()
    const first = extend()
    expect(extend({ atMs: nowMs + 74_999 }).jti).to.equal(first.jti)
    const second = extend({ atMs: nowMs + 75_000 })
    expect(second.jti).to.not.equal(first.jti)
    expect(second.expiresAt).to.equal(first.expiresAt + 75)
  })

  it('hands out the very child that it minted', () => {
    const { extend } = build()
    expect(extend()).to.equal(extend())
  })

  it('does not hand out all children for equally long, so that they are not all minted anew at once', () => {
    const { extend } = build(1)
    const first = extend()
    expect(extend({ atMs: nowMs + 59_999 }).jti).to.equal(first.jti)
    expect(extend({ atMs: nowMs + 60_000 }).jti).to.not.equal(first.jti)
  })

  it('begins another transaction with every first hop', () => {
    const { extend } = build()
    expect(extend({ chain: clerk }).txn).to.not.equal(extend({ chain: clerk }).txn)
  })

  const others = [
    { name: 'another parent', overlay: { chain: { ...parent, digest: 'another' } } },
    { name: 'a parent that was found again', overlay: { chain: { ...parent, isRecovered: true } } },
    {
      name: 'a parent whose groups were taken away',
      overlay: { chain: { ...parent, subject: { ...parent.subject, groups: [] } } },
    },
    { name: 'another caller', overlay: { calls: hospital.agentR } },
    { name: 'a callee that is given no scopes', overlay: { revision: serving({ scopes: [] }) } },
    { name: 'a callee that is given some scopes', overlay: { revision: serving({ scopes: ['a'] }) } },
    { name: 'another callee', overlay: { revision: serving({ spiffeId: uris.agentR }) } },
    { name: 'a callee that was given less time', overlay: { revision: serving({ hopLifetime: '1m' }) } },
    { name: 'a clock that was set back', overlay: { atMs: nowMs - 1000 } },
  ]
  for (const { name, overlay } of others) {
    it(`mints anew for ${name}`, () => {
      const { extend } = build()
      expect(extend().jti).to.not.equal(extend(overlay).jti)
    })
  }

  it('hands out to each callee of a revision a child of its own, again and again', () => {
    const names = ['agent-r', 'agent-a']
    const services = names.map((name, index) => ({
      name,
      addresses: [`10.0.0.${index}:80`],
      spiffeId: workload(name),
      waypoint,
      routes,
      forwards: true,
    }))
    const revision = mustLoad(
      policyFiles({
        'services.yaml': JSON.stringify({ services }),
        'team/a.cedar': '@blanket("a test") permit (principal, action, resource in Service::"agent-r");',
      }),
    )
    const { extend } = build()
    for (let round = 0; round < 2; round++) {
      const holders = names.map((_, to) => claimsOf(extend({ revision, to }).token).aud)
      expect(holders).to.deep.equal(names.map(workload))
    }
  })

  it('mints anew when the signing key has changed', () => {
    const { extend, rotate } = build()
    const first = extend()
    rotate()
    const second = extend()
    expect([first.kid, second.kid]).to.deep.equal(['chain-1', 'chain-es256'])
  })
})

function claimsOf(token: string) {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
}
