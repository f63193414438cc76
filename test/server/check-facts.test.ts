import { expect } from 'chai'
import { parse, stringify } from 'yaml'
import type { CheckInput } from '../../src/base/model/check-input.ts'
import { isDeny } from '../../src/base/model/decision.ts'
import { isProblems } from '../../src/base/model/problems.ts'
import { type Config, parseConfig } from '../../src/config/config.ts'
import { toChainKeys } from '../../src/decision/chain/keys.ts'
import { noRevocations, parseRevocations } from '../../src/decision/chain/revocations.ts'
import { identify } from '../../src/decision/check/decide.ts'
import type { Facts } from '../../src/decision/check/facts.ts'
import { isObserved } from '../../src/decision/check/observing.ts'
import { provenChain } from '../../src/decision/check/proven-chain.ts'
import { findTarget, verifyChain } from '../../src/decision/check/remembered.ts'
import { parseProviderKeys } from '../../src/decision/jws/provider-keys.ts'
import { createFacts } from '../../src/server/check-facts.ts'
import { forge, good, readJwks, signer, spiffeId } from '../support/forge.ts'
import { caller, chainClaims, chainHeader, chainKey, nowMs, partnerIdp, uris } from '../support/hospital.ts'
import { userToken } from '../support/places.ts'
import { mustLoad, policyFiles } from '../support/policy-files.ts'
import { askWithProofs } from '../support/proofs.ts'
import { settings } from '../support/settings.ts'

const secondGateway = 'spiffe://hospital.example/ns/istio-ingress/sa/second'
const callee = spiffeId(uris.insurance)
const thirdGateway = 'spiffe://hospital.example/ns/istio-ingress/sa/third'

/** The hospital with two providers, and ingress peers that bring users of one, of both and of the other. */
function configured(overlay: object = {}): Config {
  const sample = parse(settings)
  const [hospital] = sample.users
  const partner = { ...hospital, name: 'partner', issuer: partnerIdp, groupsAllow: ['doctors', 'billing'] }
  const peers = [
    { id: uris.gateway, issuers: ['hospital'] },
    { id: secondGateway, issuers: ['hospital', 'partner'] },
    { id: thirdGateway, issuers: ['partner'] },
  ]
  const ingress = { peers, tokenCopies: ['x-first-token', 'x-second-token'] }
  const text = stringify({ ...sample, users: [hospital, partner], ingress, ...overlay })
  const config = parseConfig('/waywarden.yaml', text, new Map())
  if (isProblems(config)) throw new TypeError(JSON.stringify(config.problems))
  return config
}

const revision = mustLoad(policyFiles())

/** The facts that the checks of a listener get, and what may change beneath them. */
function build(overlay: object = {}) {
  const config = configured(overlay)
  const [listener] = config.listeners
  if (listener === undefined) throw new TypeError('no listener')
  const keys = toChainKeys(chainKey, [chainKey.public])
  const issuers = config.users.map((user) => ({
    ...user,
    keys: good(parseProviderKeys(readJwks('hospital-idp'))),
  }))
  const now = { revocations: noRevocations }
  const credentials = {
    keys: () => keys,
    issuers: () => issuers,
    revocations: () => now.revocations,
  }
  const gather = createFacts(config, listener, credentials, undefined)
  return { factsNow: () => gather(revision, nowMs, undefined), now, config }
}

const bearer = (token: string, name = 'authorization') => new Map([[name, [`Bearer ${token}`]]])
const input: CheckInput = {
  sourcePrincipal: '',
  destinationAddress: '',
  method: 'GET',
  path: '/',
  host: '',
  headers: new Map(),
  metadata: new Map(),
  tlsPeerUris: [],
}

describe('server/check-facts, what the configuration says', () => {
  for (const { peer, issuer, want } of [
    { peer: uris.gateway, issuer: 'hospital', want: 'first-hop' },
    { peer: uris.gateway, issuer: 'partner', want: 'token_invalid' },
    { peer: secondGateway, issuer: 'hospital', want: 'first-hop' },
    { peer: secondGateway, issuer: 'partner', want: 'first-hop' },
    { peer: thirdGateway, issuer: 'hospital', want: 'token_invalid' },
    { peer: thirdGateway, issuer: 'partner', want: 'first-hop' },
    { peer: uris.agentA, issuer: 'hospital', want: 'token_invalid' },
  ]) {
    it(`gives ${want} for a token of ${issuer} that ${peer.slice(-7)} presents`, () => {
      const token = userToken(issuer === 'partner' ? { iss: partnerIdp } : {})
      const from = { ...caller(peer), isIngress: true }
      const facts = build().factsNow()
      const asked = { ...input, headers: bearer(token) }
      const hop = askWithProofs((proofs) => provenChain(asked, from, callee, { ...facts, proofs }))
      expect(isDeny(hop) ? hop.code : hop.kind).to.equal(want)
    })
  }

  for (const issuer of ['hospital', 'partner']) {
    for (const name of ['authorization', 'x-first-token', 'x-second-token', 'x-other']) {
      it(`sees a user's token of ${issuer} in ${name} ${name === 'x-other' ? 'not at all' : 'of an agent'}`, () => {
        const token = userToken(issuer === 'partner' ? { iss: partnerIdp } : {})
        expect(
          build()
            .factsNow()
            .settings.carriesUserToken({ ...input, headers: bearer(token, name) }),
        ).to.equal(name !== 'x-other')
      })
    }
  }

  const callOf = (facts: Facts, uri: string, overlay: Partial<CheckInput> = {}) => {
    const headers = new Map([['x-forwarded-client-cert', [`By=${uris.waypoint};URI=${uri}`]]])
    const call = identify({ ...input, destinationAddress: '10.0.0.1:80', headers, ...overlay }, facts)
    return call.kind === 'call' ? call.caller : call.decision
  }

  for (const { uri, want } of [
    { uri: uris.gateway, want: true },
    { uri: secondGateway, want: true },
    { uri: thirdGateway, want: true },
    { uri: uris.agentA, want: false },
  ]) {
    it(`takes ${uri.slice(-7)} for ${want ? 'an ingress peer' : 'an agent'}`, () => {
      expect(callOf(build().factsNow(), uri)).to.include({ isIngress: want })
    })
  }

  it('takes nobody of another trust domain', () => {
    expect(callOf(build().factsNow(), 'spiffe://elsewhere.example/ns/a/sa/b')).to.include({
      code: 'peer_malformed',
    })
  })

  it('has the waypoint prove itself just where the listener asks for client certificates', () => {
    const tls = { cert: 'a', key: 'b', clientCa: 'c' }
    const listeners = [{ address: '127.0.0.1:0', peer: 'xfcc', tls }]
    const facts = build({ listeners }).factsNow()
    expect(callOf(facts, uris.agentA)).to.include({ code: 'peer_conflict' })
    expect(callOf(facts, uris.agentA, { tlsPeerUris: [uris.waypoint] })).to.include({ isIngress: false })
    expect(callOf(build().factsNow(), uris.agentA)).to.include({ isIngress: false })
  })

  it('looks for a chain in the header that is configured', () => {
    const { chain } = parse(settings)
    expect(build({ chain: { ...chain, header: 'x-chain' } }).factsNow().settings.chainHeader).to.equal(
      'x-chain',
    )
  })

  it('asks the revocations that are in force at each moment', () => {
    const { factsNow, now } = build()
    const ask = () => {
      const chain = provenChain(input, caller(uris.agentA), callee, factsNow())
      return isDeny(chain) ? chain.code : undefined
    }
    expect(ask()).to.equal(undefined)
    now.revocations = good(
      parseRevocations(JSON.stringify({ version: 1, entries: [{ actor: uris.agentA }] })),
    )
    expect(ask()).to.equal('chain_revoked')
    now.revocations = noRevocations
    expect(ask()).to.equal(undefined)
  })

  for (const { name, observe, service, atMs, want } of [
    { name: 'nothing', observe: undefined, service: 'a', want: false },
    { name: 'everything', observe: {}, service: 'a', want: true },
    { name: 'everything, and no service is known', observe: {}, service: undefined, want: true },
    { name: 'the first service', observe: { services: ['a', 'b'] }, service: 'a', want: true },
    { name: 'the second service', observe: { services: ['a', 'b'] }, service: 'b', want: true },
    { name: 'other services', observe: { services: ['a', 'b'] }, service: 'c', want: false },
    {
      name: 'some, and no service is known',
      observe: { services: ['a', 'b'] },
      service: undefined,
      want: false,
    },
    { name: 'what it has observed until then', observe: {}, service: 'a', atMs: 1, want: false },
  ]) {
    it(`observes ${name}: ${want}`, () => {
      const until = new Date(nowMs + 86_400_000).toISOString().slice(0, 10)
      const { factsNow, config } = build(observe === undefined ? {} : { observe: { until, ...observe } })
      const endMs = config.observe?.untilMs ?? nowMs
      const { observing } = factsNow().settings
      expect(isObserved(observing, service, atMs === undefined ? endMs - 1 : endMs)).to.equal(want)
    })
  }
})

describe('server/check-facts, what is remembered', () => {
  const chainOf = (overlay: object) => forge(chainHeader, { ...chainClaims, ...overlay }, signer('chain'))
  const verify = (facts: Facts, text: string) => {
    const chain = verifyChain(text, caller(uris.agentD), facts)
    if (isDeny(chain)) throw new TypeError(chain.reason)
    return chain
  }

  for (const { issuer, groups, want } of [
    { issuer: undefined, groups: ['billing', 'doctors', 'x'], want: ['billing'] },
    { issuer: undefined, groups: ['x', 'clinicians'], want: ['clinicians'] },
    { issuer: partnerIdp, groups: ['billing', 'doctors', 'clinicians'], want: ['billing', 'doctors'] },
  ]) {
    it(`keeps of ${groups.join(', ')} what ${issuer ?? 'the hospital'} may bring now: ${want.join(', ')}`, () => {
      const tctx = { ...chainClaims.tctx, groups }
      const chain = verify(build().factsNow(), chainOf({ tctx, ...(issuer && { sub_iss: issuer }) }))
      expect(chain.subject.groups).to.deep.equal(want)
    })
  }

  it('is shared by all checks of a listener, and by no other', () => {
    const { factsNow } = build()
    expect(factsNow().memories).to.equal(factsNow().memories)
    expect(factsNow().memories).to.not.equal(build().factsNow().memories)
  })

  it('is no broken chain, for anyone can send as many as there is room for', () => {
    const facts = build({ cache: { chains: 2, decisions: 2 } }).factsNow()
    const text = chainOf({})
    const { subject } = verify(facts, text)
    for (let other = 0; other < 10; other++)
      verifyChain(`${text.slice(0, -10)}${'A'.repeat(9)}${other}`, caller(uris.agentD), facts)
    // Before it is verified again, which would remember it again.
    expect(facts.memories.chains(facts.keys).get(text.slice(-64))?.text).to.equal(text)
    expect(verify(facts, text).subject).to.deep.equal(subject)
  })

  const [service] = revision.catalog.services
  const read = (facts: Facts) => (method: string, path: string) => {
    if (service === undefined) throw new TypeError('no service')
    const request = { method, path, isUpgrade: false }
    return findTarget(service, caller(uris.agentD), { kind: 'none' }, request, facts).target
  }

  it('is no path that was refused, for anyone can send as many as there is room for', () => {
    const targetOf = read(build({ cache: { chains: 2, decisions: 2 } }).factsNow())
    const target = targetOf('GET', '/patients/42')
    for (let other = 0; other < 10; other++) targetOf('GET', `/nowhere/${other}`)
    expect(targetOf('GET', '/patients/42')).to.equal(target)
  })

  it('is never taken for a request whose method and path only read the same one after the other', () => {
    const targetOf = read(build().factsNow())
    expect(isDeny(targetOf('GET', '/patients/42'))).to.equal(false)
    expect(isDeny(targetOf('G', 'ET/patients/42'))).to.equal(true)
    expect(isDeny(targetOf('GET/patients', '/42'))).to.equal(true)
  })
})
