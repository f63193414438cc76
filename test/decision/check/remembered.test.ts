import { expect } from 'chai'
import { isDeny } from '../../../src/base/model/decision.ts'
import { parseRevocations } from '../../../src/decision/chain/revocations.ts'
import { findTarget } from '../../../src/decision/check/remembered.ts'
import type { Verdict } from '../../../src/decision/check/verdict.ts'
import type { Revision } from '../../../src/policy/revision/revision.ts'
import { factsOf } from '../../support/built-checker.ts'
import { counting, loaded, type Question, remembering } from '../../support/counted-judgements.ts'
import { good } from '../../support/forge.ts'
import { chainClaims, nowMs, uris } from '../../support/hospital.ts'
import { caller, clerk, delegated, hospital } from '../../support/identities.ts'
import { hospitalRevision } from '../../support/policy-files.ts'
import { type Call, createWarmLine, genuine, type Surroundings } from '../../support/warm-line.ts'

const chain = delegated(clerk, [hospital.agentA])

describe('decision/check/remembered, judgements', () => {
  it('asks the policies once for the same caller, chain and request', () => {
    const { asked, revision } = counting()
    const judge = remembering()
    expect(judge(revision)).to.equal(judge(revision, { chain: { ...chain } }))
    expect(asked).to.have.length(3)
  })

  const others: readonly { name: string; question: Question; asks?: number }[] = [
    { name: 'another caller', question: { who: caller(hospital.agentR) } },
    {
      name: 'a caller that another waypoint vouches for',
      question: { who: { ...caller(hospital.agentD), waypoint: hospital.gateway } },
    },
    { name: 'another token', question: { chain: { ...chain, digest: 'another' } } },
    { name: 'the same token, found again', question: { chain: { ...chain, isRecovered: true } } },
    {
      name: 'the same token, groups taken away',
      question: { chain: { ...chain, subject: { ...chain.subject, groups: [] } } },
    },
    { name: 'another path', question: { path: '/patients/43' } },
    { name: 'another method', question: { method: 'PUT' } },
    { name: 'ingress, which never acts', question: { who: caller(hospital.agentD, true) }, asks: 1 },
  ]
  for (const { name, question, asks = 3 } of others) {
    it(`judges anew for ${name}`, () => {
      const { asked, revision } = counting()
      const judge = remembering()
      judge(revision)
      judge(revision, question)
      expect(asked).to.have.length(3 + asks)
    })
  }

  it('judges anew for no chain at all, which is refused before policies are asked', () => {
    const { asked, revision } = counting()
    const judge = remembering()
    judge(revision)
    expect(judge(revision, { chain: { kind: 'none' } })).to.have.property('code', 'chain_missing')
    expect(asked).to.have.length(3)
  })

  it('judges anew by another revision', () => {
    const [one, other] = [counting(), counting('no-permit')]
    const judge = remembering()
    expect(isDeny(judge(one.revision))).to.equal(false)
    expect(isDeny(judge(other.revision))).to.equal(true)
    expect(isDeny(judge(one.revision))).to.equal(false)
  })

  it('remembers no failure of the engine', () => {
    const { asked, revision } = counting('unavailable')
    const judge = remembering()
    for (let round = 0; round < 2; round++) judge(revision)
    expect(asked).to.have.length(6)
  })
})

describe('decision/check/remembered, targets', () => {
  const [service] = loaded.catalog.services
  if (service === undefined) throw new TypeError('no service')
  const request = { method: 'GET', path: '/patients/42', isUpgrade: false }
  const reading = () => {
    const facts = factsOf()
    return (of: typeof service, asks: typeof request, revision: Revision) =>
      findTarget(of, caller(hospital.agentD), { kind: 'none' }, asks, { ...facts, revision }).target
  }

  it('reads a path once, whatever its query', () => {
    const read = reading()
    const first = read(service, request, loaded)
    expect(isDeny(first)).to.equal(false)
    expect(read(service, { ...request, path: '/patients/42?full=1' }, loaded)).to.equal(first)
  })

  const others: readonly { name: string; asks?: Partial<typeof request>; of?: object; by?: object }[] = [
    { name: 'another path', asks: { path: '/patients/43' } },
    { name: 'another method', asks: { method: 'PUT' } },
    { name: 'an upgrade', asks: { isUpgrade: true } },
    { name: 'a method in the query', asks: { path: '/patients/42?_method=PUT' } },
    { name: 'another service', of: { name: 'other' } },
    { name: 'another revision', by: { digest: 'other' } },
  ]
  for (const { name, asks, of, by } of others) {
    it(`reads anew for ${name}`, () => {
      const read = reading()
      const first = read(service, request, loaded)
      expect(read({ ...service, ...of }, { ...request, ...asks }, { ...loaded, ...by })).to.not.equal(first)
    })
  }
})

describe('decision/check/remembered, a warm memory', () => {
  let revision: Revision
  before(async () => {
    revision = await hospitalRevision()
  })

  const coverage = { to: '10.96.0.10:8080', method: 'GET', path: '/coverage/7' }
  const task = { to: '10.96.0.2:8080', method: 'POST', path: '/tasks' }
  const call: Call = { caller: uris.agentD, token: genuine(), ...coverage }
  const heldByA = genuine({ aud: uris.agentA, act: undefined, par_hash: undefined })
  const [header = '', , signature = ''] = genuine().split('.')
  const groups = (...names: readonly string[]) => ({ tctx: { ...chainClaims.tctx, groups: names } })
  const revocations = (entry: object) =>
    good(parseRevocations(JSON.stringify({ version: 1, entries: [entry] })))
  const codeOf = ({ decision }: Verdict) => (isDeny(decision) ? decision.code : 'permission')

  it('answers again with the child that it minted before', () => {
    const line = createWarmLine()
    const asked: Call = { caller: uris.agentA, token: heldByA, ...task }
    const [cold, warm] = [line(asked, { revision }), line(asked, { revision })]
    expect(cold.onward).to.not.equal(undefined)
    expect(warm.onward).to.equal(cold.onward)
  })

  const denials: readonly {
    name: string
    asks?: Partial<Call>
    now?: Partial<Surroundings>
    want: string
  }[] = [
    { name: "agent A with agent D's warm token", asks: { caller: uris.agentA }, want: 'chain_not_yours' },
    { name: 'no token', asks: { token: undefined }, want: 'chain_missing' },
    { name: 'a user who lost the group', asks: { token: genuine(groups()) }, want: 'policy_denied' },
    {
      name: 'other claims under the warm signature',
      asks: { token: [header, genuine(groups('clinicians')).split('.')[1], signature].join('.') },
      want: 'chain_signature',
    },
    {
      name: 'a revoked actor',
      now: { revocations: revocations({ actor: uris.agentA }) },
      want: 'chain_revoked',
    },
    {
      name: 'a revoked caller',
      now: { revocations: revocations({ actor: uris.agentD }) },
      want: 'chain_revoked',
    },
    {
      name: 'a revoked user',
      now: { revocations: revocations({ user: 'hospital/clerk' }) },
      want: 'chain_revoked',
    },
    { name: 'a token whose time is over', now: { nowMs: nowMs + 600_000 }, want: 'chain_expired' },
    { name: 'a token whose time has not come', now: { nowMs: nowMs - 600_000 }, want: 'chain_not_yet_valid' },
    {
      name: 'a key that is trusted no more',
      now: { signing: 'chain-es256', isOtherTrusted: false },
      want: 'chain_key_unknown',
    },
    {
      name: 'another path of another service',
      asks: { to: '10.96.0.11:8080', path: '/patients/7' },
      want: 'policy_denied',
    },
  ]
  for (const { name, asks, now, want } of denials) {
    it(`denies ${name}: ${want}`, () => {
      const line = createWarmLine()
      for (let round = 0; round < 2; round++) expect(codeOf(line(call, { revision }))).to.equal('permission')
      for (let round = 0; round < 2; round++)
        expect(codeOf(line({ ...call, ...asks }, { revision, ...now }))).to.equal(want)
      expect(codeOf(line(call, { revision }))).to.equal('permission')
    })
  }

  it('gives no answer to the forged that the genuine gets', () => {
    const line = createWarmLine()
    const forged = [header, genuine({ sub: 'other' }).split('.')[1], signature].join('.')
    const asked = [call, { ...call, token: forged }, call].map((each) => line(each, { revision }))
    expect(asked.map(codeOf)).to.deep.equal(['permission', 'chain_signature', 'permission'])
  })
})
