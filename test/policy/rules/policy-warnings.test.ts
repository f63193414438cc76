import { expect } from 'chai'
import { policyWarnings } from '../../../src/policy/rules/policy-warnings.ts'
import { hospitalRevision, mustLoad, policyFiles } from '../../support/policy-files.ts'

describe('policy/rules/policy-warnings', () => {
  it('warns of nothing in the sample', async () => {
    expect(policyWarnings(await hospitalRevision())).to.deep.equal([])
  })

  it('warns of a policy that can never match, with its place', () => {
    const cedar =
      'permit (principal is User, action, resource in Service::"records");\npermit (principal is User, action, resource in Service::"records") when { principal is Agent };\n'
    const warnings = policyWarnings(mustLoad(policyFiles({ 'team/a.cedar': cedar })))
    expect(warnings.map(({ id, line }) => [id, line])).to.deep.equal([['team/a.cedar#2', 2]])
  })
})
