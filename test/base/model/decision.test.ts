import { expect } from 'chai'
import { deniedBy, deny, denyCodes, isDeny, type PrincipalResult } from '../../../src/base/model/decision.ts'

const outcomes = ['permit', 'forbid', 'no-permit', 'error', 'unavailable'] as const
const results = outcomes.map(
  (outcome): PrincipalResult => ({
    principal: { type: 'Agent', id: outcome },
    role: 'caller',
    outcome,
    determiningPolicies: [],
    errors: [],
  }),
)

describe('base/model/decision', () => {
  it('counts everything but a permit as a refusal, in order', () => {
    expect(deniedBy(results).map(({ outcome }) => outcome)).to.deep.equal([
      'forbid',
      'no-permit',
      'error',
      'unavailable',
    ])
  })

  it('tells a denial from a proof', () => {
    expect(isDeny(deny('policy_denied', ''))).to.equal(true)
    expect(isDeny({ kind: 'permission' })).to.equal(false)
  })

  it('has no code twice, and each as metrics and headings can carry it', () => {
    expect(new Set(denyCodes).size).to.equal(denyCodes.length)
    for (const code of denyCodes) expect(code).to.match(/^[a-z]+(_[a-z]+)+$|^overloaded$/)
  })
})
