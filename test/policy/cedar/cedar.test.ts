import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { createCedar, EngineBroken, namingFile } from '../../../src/policy/cedar/cedar.ts'

describe('policy/cedar/cedar', () => {
  it('makes instances that know nothing of each other', () => {
    const [one, other] = [createCedar(), createCedar()]
    one.preparsePolicySet('p', { staticPolicies: { a: 'permit (principal, action, resource);' } })
    const uid = { type: 'A', id: 'a' }
    const call = JSON.stringify({
      principal: uid,
      action: { type: 'Action', id: 'a' },
      resource: uid,
      context: {},
      entities: [],
      preparsedPolicySetId: 'p',
    })
    expect(JSON.parse(one.authorize(call))).to.have.property('type', 'success')
    expect(JSON.parse(other.authorize(call))).to.have.property('type', 'failure')
  })

  it('takes objects again after a text, even one that made it throw', () => {
    const cedar = createCedar()
    expect(() => cedar.authorize('no JSON')).to.throw()
    expect(cedar.policySetTextToParts('permit (principal, action, resource);')).to.have.property(
      'type',
      'success',
    )
  })

  it('leaves other instances whole when one has thrown beyond repair', () => {
    const [poisoned, whole] = [createCedar(), createCedar()]
    const deep = `permit (principal, action, resource) when { ${'('.repeat(2000)}true${')'.repeat(2000)} };`
    expect(() => poisoned.checkParsePolicySet({ staticPolicies: deep })).to.throw()
    expect(
      whole.checkParsePolicySet({ staticPolicies: 'permit (principal, action, resource);' }),
    ).to.have.property('type', 'success')
  })

  it('names the file on which the engine broke', () => {
    const deep = `permit (principal, action, resource) when { ${'('.repeat(2000)}true${')'.repeat(2000)} };`
    const broken = createCedar()
    const ask = () =>
      namingFile('team/deep.cedar', () => broken.checkParsePolicySet({ staticPolicies: deep }))
    expect(ask)
      .to.throw(EngineBroken, /^team\/deep\.cedar: /)
      .with.property('code', 'engine_broken')
  })

  it('does not end the process when code that calls it is deoptimized', async () => {
    const script = `
      const { parsePolicies } = await import('./src/policy/cedar/policies.ts')
      const { splitPolicies } = await import('./src/policy/cedar/policy-parts.ts')
      const { createCedar } = await import('./src/policy/cedar/cedar.ts')
      const permit = (i) => 'permit (principal == Agent::"a' + i % 10 + '", action in Action::"read", resource == Service::"s' + i + '") when { context.role == "caller" };'
      const files = new Map(Array.from({ length: 500 }, (_, i) => ['t' + i + '.cedar', permit(i).repeat(10)]))
      console.log(splitPolicies(parsePolicies(createCedar(), files).policies).length)
    `
    // In a process of its own: what is tested for would take the tests with it.
    const argv = ['--import', 'tsx', '--input-type=module', '--eval', script]
    const { stdout } = await promisify(execFile)(process.execPath, argv)
    expect(stdout.trim()).to.equal('5000')
  })
})
