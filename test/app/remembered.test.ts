import { expect } from 'chai'
import { createJudge, createTargeting } from '../../src/app/remembered.ts'
import { parseRevocations } from '../../src/chain/revocations.ts'
import type { Findings } from '../../src/check/line.ts'
import { isConfigProblems, parseConfig } from '../../src/config/config.ts'
import { isDeny, type PrincipalResult } from '../../src/model/decision.ts'
import type { Query } from '../../src/model/query.ts'
import type { Revision } from '../../src/revision/revision.ts'
import { targetOf } from '../../src/revision/target.ts'
import { good } from '../support/forge.ts'
import { chainClaims, nowMs, uris } from '../support/hospital.ts'
import { caller, clerk, delegated, firstHop, hospital } from '../support/identities.ts'
import { hospitalRevision, mustLoad, policyFiles, servicesYaml } from '../support/policy-files.ts'
import { settings } from '../support/settings.ts'
import { type Call, createWarmLine, genuine, type Surroundings } from '../support/warm-line.ts'

const config = parseConfig('/waywarden.yaml', settings, new Map())
if (isConfigProblems(config)) throw new TypeError('bad settings')

const routes = ['GET', 'PUT'].map((method) => ({
  match: `${method} /patients/{patientId}`,
  action: 'read-it',
  resource: 'Patient::{patientId}',
}))
const loaded = mustLoad(policyFiles({ 'services.yaml': servicesYaml({ routes }) }))

/** A revision that counts its questions, and answers `outcome`. */
function counting(outcome: PrincipalResult['outcome'] = 'permit') {
  const asked: Query[] = []
  const evaluate = (query: Query): PrincipalResult => {
    asked.push(query)
    return {
      principal: { type: 'Agent', id: 'x' },
      role: query.role,
      outcome,
      determiningPolicies: [],
      errors: [],
    }
  }
  return { asked, revision: { ...loaded, evaluate } }
}

function target(path = '/patients/42', method = 'GET') {
  const [service] = loaded.catalog.services
  const wanted = service && targetOf(service, { method, path, isUpgrade: false })
  if (wanted === undefined || isDeny(wanted)) throw new TypeError('no target')
  return wanted
}

const chain = delegated(clerk, [hospital.agentA])

describe('app/remembered, judgements', () => {
  it('asks the policies once for the same caller, chain and request', () => {
    const { asked, revision } = counting()
    const judge = createJudge(config)
    const wanted = target()
    const first = judge(caller(hospital.agentD), chain, wanted, revision)
    expect(judge(caller(hospital.agentD), chain, wanted, revision)).to.equal(first)
    expect(asked).to.have.length(3)
  })

  const others = [
    { name: 'another caller', who: hospital.agentR },
    { name: 'another token', chain: { ...chain, digest: 'another' } },
    { name: 'the same token, found again', chain: { ...chain, isRecovered: true } },
    { name: 'a chain of other scopes', chain: { ...chain, scopes: ['a'] } },
    { name: 'another path', path: '/patients/43' },
    { name: 'another method', method: 'PUT' },
    { name: 'another service', service: 'other' },
    { name: 'ingress, which never acts', isIngress: true, asks: 1 },
    { name: 'no chain at all', chain: { kind: 'none' } as const },
  ]
  for (const { name, who = hospital.agentD, isIngress, chain: other = chain, asks = 3, ...to } of others) {
    it(`judges anew for ${name}`, () => {
      const { asked, revision } = counting()
      const judge = createJudge(config)
      const first = target()
      judge(caller(hospital.agentD), chain, first, revision)
      const isOther = to.path !== undefined || to.method !== undefined || to.service !== undefined
      const wanted = isOther ? target(to.path, to.method) : first
      const again = judge(caller(who, isIngress), other, wanted, revision)
      // Without a chain nobody is asked: it is refused before, and not by the answer to another request.
      if (other.kind === 'none') expect(again).to.have.property('code', 'chain_missing')
      else expect(asked).to.have.length(3 + asks)
    })
  }

  it('judges anew by another revision', () => {
    const [one, other] = [counting(), counting('no-permit')]
    const judge = createJudge(config)
    const wanted = target()
    expect(isDeny(judge(caller(hospital.agentD), chain, wanted, one.revision))).to.equal(false)
    expect(isDeny(judge(caller(hospital.agentD), chain, wanted, other.revision))).to.equal(true)
    expect(isDeny(judge(caller(hospital.agentD), chain, wanted, one.revision))).to.equal(false)
  })

  it('remembers no failure of the engine', () => {
    const { asked, revision } = counting('unavailable')
    const judge = createJudge(config)
    const wanted = target()
    for (let round = 0; round < 2; round++) judge(caller(hospital.agentD), chain, wanted, revision)
    expect(asked).to.have.length(6)
  })

  it('remembers no first hop, whose token has no digest of ours', () => {
    const { asked, revision } = counting()
    const judge = createJudge(config)
    const wanted = { ...target(), service: { ...target().service, isEntry: true } }
    const hop = firstHop(clerk)
    for (let round = 0; round < 2; round++) judge(caller(hospital.gateway, true), hop, wanted, revision)
    expect(asked).to.have.length(2)
  })
})

describe('app/remembered, targets', () => {
  const [service] = loaded.catalog.services
  if (service === undefined) throw new TypeError('no service')
  const request = { method: 'GET', path: '/patients/42', isUpgrade: false }

  it('reads a path once, whatever its query', () => {
    const read = createTargeting(config)
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
    { name: 'another revision', by: {} },
  ]
  for (const { name, asks, of, by } of others) {
    it(`reads anew for ${name}`, () => {
      const read = createTargeting(config)
      const first = read(service, request, loaded)
      const revision = by === undefined ? loaded : { ...loaded, ...by }
      const other = of === undefined ? service : { ...service, ...of }
      expect(read(other, { ...request, ...asks }, revision)).to.not.equal(first)
    })
  }
})

describe('app/remembered, a warm line', () => {
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
  const codeOf = ({ decision }: Findings) => (isDeny(decision) ? decision.code : 'permission')

  it('answers without waiting, and again with the child that it minted before', () => {
    const line = createWarmLine()
    const asked: Call = { caller: uris.agentA, token: heldByA, ...task }
    const [cold, warm] = [line(asked, { revision }), line(asked, { revision })]
    if (cold instanceof Promise || warm instanceof Promise) throw new TypeError('an answer that waits')
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
    it(`denies ${name}: ${want}`, async () => {
      const line = createWarmLine()
      for (let round = 0; round < 2; round++)
        expect(codeOf(await line(call, { revision }))).to.equal('permission')
      for (let round = 0; round < 2; round++)
        expect(codeOf(await line({ ...call, ...asks }, { revision, ...now }))).to.equal(want)
      expect(codeOf(await line(call, { revision }))).to.equal('permission')
    })
  }

  it('gives no answer to the forged that the genuine waits for', async () => {
    const line = createWarmLine()
    const forged = [header, genuine({ sub: 'other' }).split('.')[1], signature].join('.')
    const asked = [call, { ...call, token: forged }, call].map((each) => line(each, { revision }))
    expect((await Promise.all(asked)).map(codeOf)).to.deep.equal([
      'permission',
      'chain_signature',
      'permission',
    ])
  })
})
