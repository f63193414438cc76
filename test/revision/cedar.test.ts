import { expect } from 'chai'
import { createCedar } from '../../src/revision/cedar.ts'

describe('revision/cedar', () => {
  it('makes instances that know nothing of each other', () => {
    const [one, other] = [createCedar(), createCedar()]
    one.preparsePolicySet('p', { staticPolicies: { a: 'permit (principal, action, resource);' } })
    const uid = { type: 'A', id: 'a' }
    const call = {
      principal: uid,
      action: { type: 'Action', id: 'a' },
      resource: uid,
      context: {},
      entities: [],
      preparsedPolicySetId: 'p',
    }
    expect(one.statefulIsAuthorized(call)).to.have.property('type', 'success')
    expect(other.statefulIsAuthorized(call)).to.have.property('type', 'failure')
  })

  it('leaves other instances whole when one has thrown beyond repair', () => {
    const [poisoned, whole] = [createCedar(), createCedar()]
    const deep = `permit (principal, action, resource) when { ${'('.repeat(2000)}true${')'.repeat(2000)} };`
    expect(() => poisoned.checkParsePolicySet({ staticPolicies: deep })).to.throw()
    expect(
      whole.checkParsePolicySet({ staticPolicies: 'permit (principal, action, resource);' }),
    ).to.have.property('type', 'success')
  })
})
