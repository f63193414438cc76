import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { createLineDeps } from '../../src/app/line-deps.ts'
import { noRevocations } from '../../src/chain/revocations.ts'
import { isConfigProblems, parseConfig } from '../../src/config/config.ts'
import { toKeySet } from '../../src/jws/key-set.ts'
import { parseSigningKey } from '../../src/jws/signing-key.ts'
import { isDeny } from '../../src/model/decision.ts'
import type { SpiffeId } from '../../src/model/spiffe-id.ts'
import { forge, good, readKey, signer } from '../support/forge.ts'
import { chainClaims, chainHeader, chainKey, clerk, nowMs, service, uris } from '../support/hospital.ts'
import { caller, clerk as clerkUser, delegated, hospital } from '../support/identities.ts'
import { settings } from '../support/settings.ts'

const config = parseConfig('/waywarden.yaml', settings, new Map())
if (isConfigProblems(config)) throw new TypeError('bad settings')
const [listener] = config.listeners
const otherKey = good(parseSigningKey(readKey('chain-es256')))

function build(jitter = 0) {
  if (listener === undefined || isConfigProblems(config)) throw new TypeError('no listener')
  let signing = chainKey
  let keys = { signing, verifying: toKeySet([chainKey.public, otherKey.public]) }
  const credentials = {
    keys: () => keys,
    issuers: () => [],
    revocations: () => noRevocations,
    problems: () => [],
    notices: () => [],
  }
  const deps = createLineDeps(config, listener, credentials, undefined, randomUUID, () => jitter)
  // As in a catalog, a service stays the same object.
  const services = new Map<string, ReturnType<typeof service>>()
  const rotate = () => {
    signing = otherKey
    keys = { ...keys, signing }
  }
  const extend = async (
    overlay: {
      chain?: Parameters<typeof deps.extendChain>[0]
      callee?: string
      calls?: SpiffeId
      scopes?: readonly string[]
      atMs?: number
      hop?: number
    } = {},
  ) => {
    const { callee = uris.insurance, hop = 300, scopes } = overlay
    const name = JSON.stringify([callee, hop, scopes])
    const named = services.get(name) ?? service(callee, { hopLifetimeSeconds: hop, scopes })
    services.set(name, named)
    const signed = await deps.extendChain(
      overlay.chain ?? parent,
      caller(overlay.calls ?? hospital.agentD),
      named,
      overlay.atMs ?? nowMs,
    )
    if (isDeny(signed)) throw new TypeError(signed.reason)
    return signed
  }
  return { deps, extend, rotate }
}

describe('app/line-deps: a chain from before the configuration', () => {
  it('keeps only the groups that are allowed now, and hands no other on', async () => {
    const { deps } = build()
    const tctx = { ...chainClaims.tctx, groups: ['directors', 'billing'] }
    const text = forge(chainHeader, { ...chainClaims, tctx }, signer('chain'))
    const proven = await deps.verifyChain(text, caller(hospital.agentD), nowMs)
    if (isDeny(proven)) throw new TypeError(proven.reason)
    expect(proven.subject.groups).to.deep.equal(['billing'])
    const child = await deps.extendChain(proven, caller(hospital.agentD), service(uris.insurance), nowMs)
    if (isDeny(child)) throw new TypeError(child.reason)
    const claims = Buffer.from(child.token.split('.')[1] ?? '', 'base64url').toString()
    expect(JSON.parse(claims).tctx.groups).to.deep.equal(['billing'])
  })
})

const chain = delegated(clerkUser, [hospital.agentA], ['a'])
const parent = {
  ...chain,
  ceiling: nowMs / 1000 + 3000,
  rootIssuedAt: nowMs / 1000,
  expiresAt: nowMs / 1000 + 300,
}

describe('app/line-deps', () => {
  it('hands out a child again in the first quarter of its life, and then another', async () => {
    const { extend } = build()
    const first = await extend()
    expect((await extend({ atMs: nowMs + 74_999 })).jti).to.equal(first.jti)
    const second = await extend({ atMs: nowMs + 75_000 })
    expect(second.jti).to.not.equal(first.jti)
    expect(second.expiresAt).to.equal(first.expiresAt + 75)
  })

  it('hands out the very child that it minted', () => {
    const { deps } = build()
    const [calls, callee] = [caller(hospital.agentD), service(uris.insurance)]
    const extend = () => deps.extendChain(parent, calls, callee, nowMs)
    expect(extend()).to.equal(extend())
  })

  it('does not hand out all children for equally long, so that they are not all minted anew at once', async () => {
    const { extend } = build(1)
    const first = await extend()
    expect((await extend({ atMs: nowMs + 59_999 })).jti).to.equal(first.jti)
    expect((await extend({ atMs: nowMs + 60_000 })).jti).to.not.equal(first.jti)
  })

  it('begins another transaction with every first hop', async () => {
    const { extend } = build()
    expect((await extend({ chain: clerk })).txn).to.not.equal((await extend({ chain: clerk })).txn)
  })

  const others = [
    { name: 'another parent', overlay: { chain: { ...parent, digest: 'another' } } },
    { name: 'a parent of other scopes', overlay: { chain: { ...parent, scopes: [] } } },
    { name: 'a parent that was found again', overlay: { chain: { ...parent, isRecovered: true } } },
    { name: 'another caller', overlay: { calls: hospital.agentR } },
    { name: 'a callee that is given no scopes', overlay: { scopes: [] } },
    { name: 'a callee that is given some scopes', overlay: { scopes: ['a'] } },
    { name: 'another callee', overlay: { callee: uris.agentR } },
    { name: 'a callee that was given less time', overlay: { hop: 60 } },
    { name: 'a clock that was set back', overlay: { atMs: nowMs - 1000 } },
  ]
  for (const { name, overlay } of others) {
    it(`mints anew for ${name}`, async () => {
      const { extend } = build()
      expect((await extend()).jti).to.not.equal((await extend(overlay)).jti)
    })
  }

  it('mints anew when the signing key has changed', async () => {
    const { extend, rotate } = build()
    const first = await extend()
    rotate()
    const second = await extend()
    expect([first.kid, second.kid]).to.deep.equal(['chain-1', 'chain-es256'])
  })
})
