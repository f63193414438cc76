import { expect } from 'chai'
import { byEffect, isSameOutcome, toOutcome } from '../../src/authoring/outcome.ts'
import { deny, type PrincipalResult, type Role } from '../../src/base/model/decision.ts'

const policy = (id: string) => ({ id, file: 'a.cedar', line: 1 })

function result(role: Role, id: string, outcome: PrincipalResult['outcome'], ...policies: string[]) {
  const principal = { type: role === 'subject' ? 'User' : 'Agent', id }
  return { principal, role, outcome, determiningPolicies: policies.map(policy), errors: [] }
}

describe('authoring/outcome', () => {
  const results = [
    result('caller', 'agent-d', 'permit', 'a.cedar#d'),
    result('delegator', 'agent-a', 'no-permit'),
    result('subject', 'hospital/clerk', 'forbid', 'a.cedar#z', 'a.cedar#b'),
  ]

  it('says of a refusal who refused and by what, and names no user', () => {
    const outcome = toOutcome(deny('policy_denied', 'because', results))
    expect(outcome).to.deep.equal({
      decision: 'policy_denied',
      deniedBy: ['delegator agent-a', 'subject'],
      policies: ['a.cedar#b', 'a.cedar#z'],
    })
  })

  it('says of an allow by what', () => {
    const permitted = results.slice(0, 1)
    expect(toOutcome({ kind: 'permission', results: permitted })).to.deep.equal({
      decision: 'allow',
      deniedBy: [],
      policies: ['a.cedar#d'],
    })
  })

  const one = { decision: 'policy_denied', deniedBy: ['delegator agent-a'], policies: ['p'] } as const
  const cases = [
    { name: 'the same by other policies', other: { ...one, policies: [] }, want: true },
    { name: 'another delegator', other: { ...one, deniedBy: ['delegator agent-b'] }, want: false },
    { name: 'another code', other: { ...one, decision: 'policy_error' as const }, want: false },
  ]
  for (const { name, other, want } of cases) {
    it(`compares what a client and a reader of records see: ${name}`, () => {
      expect(isSameOutcome(one, other)).to.equal(want)
    })
  }

  it('puts what opens before what closes, and that before the rest', () => {
    const allow = { decision: 'allow', deniedBy: [], policies: [] } as const
    const sorted = [
      { name: 'other', before: one, after: { ...one, deniedBy: [] } },
      { name: 'closes', before: allow, after: one },
      { name: 'opens', before: one, after: allow },
    ].sort(byEffect)
    expect(sorted.map(({ name }) => name)).to.deep.equal(['opens', 'closes', 'other'])
  })
})
