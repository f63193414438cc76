import { expect } from 'chai'
import { createJudge } from '../../src/app/remembered.ts'
import { isConfigProblems, parseConfig } from '../../src/config/config.ts'
import { isDeny, type PrincipalResult } from '../../src/model/decision.ts'
import type { Query } from '../../src/model/query.ts'
import { targetOf } from '../../src/revision/target.ts'
import { caller, clerk, delegated, firstHop, hospital } from '../support/identities.ts'
import { mustLoad, policyFiles } from '../support/policy-files.ts'
import { settings } from '../support/settings.ts'

const config = parseConfig('/waywarden.yaml', settings, new Map())
if (isConfigProblems(config)) throw new TypeError('bad settings')

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
  return { asked, revision: { ...mustLoad(policyFiles()), evaluate } }
}

function target(path = '/patients/42') {
  const [service] = mustLoad(policyFiles()).catalog.services
  const wanted = service && targetOf(service, { method: 'GET', path, isUpgrade: false })
  if (wanted === undefined || isDeny(wanted)) throw new TypeError('no target')
  return wanted
}

const chain = delegated(clerk, [hospital.agentA])

describe('app/remembered, judgements', () => {
  it('asks the policies once for the same caller, chain and request', () => {
    const { asked, revision } = counting()
    const judge = createJudge(config)
    const first = judge(caller(hospital.agentD), chain, target(), revision)
    expect(judge(caller(hospital.agentD), chain, target(), revision)).to.equal(first)
    expect(asked).to.have.length(3)
  })

  const others = [
    { name: 'another caller', who: hospital.agentR },
    { name: 'another token', chain: { ...chain, digest: 'another' } },
    { name: 'the same token, found again', chain: { ...chain, isRecovered: true } },
    { name: 'another path', path: '/patients/43' },
    { name: 'no chain at all', chain: { kind: 'none' } as const },
  ]
  for (const { name, who = hospital.agentD, chain: other = chain, path } of others) {
    it(`judges anew for ${name}`, () => {
      const { asked, revision } = counting()
      const judge = createJudge(config)
      judge(caller(hospital.agentD), chain, target(), revision)
      const again = judge(caller(who), other, target(path), revision)
      // Without a chain nobody is asked: it is refused before, and not by the answer to another request.
      if (other.kind === 'none') expect(again).to.have.property('code', 'chain_missing')
      else expect(asked).to.have.length(6)
    })
  }

  it('judges anew by another revision', () => {
    const [one, other] = [counting(), counting('no-permit')]
    const judge = createJudge(config)
    expect(isDeny(judge(caller(hospital.agentD), chain, target(), one.revision))).to.equal(false)
    expect(isDeny(judge(caller(hospital.agentD), chain, target(), other.revision))).to.equal(true)
  })

  it('remembers no failure of the engine', () => {
    const { asked, revision } = counting('unavailable')
    const judge = createJudge(config)
    for (let round = 0; round < 2; round++) judge(caller(hospital.agentD), chain, target(), revision)
    expect(asked).to.have.length(6)
  })

  it('remembers no first hop, whose token has no digest of ours', () => {
    const { asked, revision } = counting()
    const judge = createJudge(config)
    const service = { ...target().service, isEntry: true }
    for (let round = 0; round < 2; round++) {
      judge(caller(hospital.gateway, true), firstHop(clerk), { ...target(), service }, revision)
    }
    expect(asked).to.have.length(2)
  })
})
