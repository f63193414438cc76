import { expect } from 'chai'
import { splitPolicies } from '../../../src/policy/cedar/policy-parts.ts'
import { mustLoad, policyFiles } from '../../support/policy-files.ts'

function partsOf(cedar: string): readonly string[] {
  const { policies } = mustLoad(policyFiles({ 'team/a.cedar': cedar }))
  const [split] = splitPolicies(policies)
  return (split?.parts ?? []).map(({ kind, text }) => `${kind}: ${text}`)
}

describe('policy/cedar/policy-parts', () => {
  it('takes a policy apart at its scope, its conditions and their conjuncts', () => {
    const cedar =
      'permit (principal is Agent, action in [Action::"read-it"], resource in Service::"records") when { context.role == "caller" && (context.role == "a" || context.role == "b") } unless { context.role == "x" || context.role == "y" };'
    expect(partsOf(cedar)).to.deep.equal([
      'principal: principal is Agent',
      'action: action in Action::"read-it"',
      'resource: resource in Service::"records"',
      'when: context.role == "caller"',
      'when: (context.role == "a") || (context.role == "b")',
      'unless: context.role == "x"',
      'unless: context.role == "y"',
    ])
  })

  it('finds nothing in a policy that demands nothing', () => {
    expect(partsOf('@blanket("test") permit (principal, action, resource);')).to.deep.equal([])
  })

  it('makes of each part a permit that asks for it alone', () => {
    const { policies } = mustLoad(policyFiles())
    const [part] = splitPolicies(policies)[0]?.parts ?? []
    expect(part?.probe.text).to.equal('permit(principal, action, resource in Service::"records");')
  })
})
