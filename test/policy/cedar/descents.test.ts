import { expect } from 'chai'
import { createCedar } from '../../../src/policy/cedar/cedar.ts'
import { readDescents } from '../../../src/policy/cedar/descents.ts'
import { parsePolicies } from '../../../src/policy/cedar/policies.ts'

const cedar = createCedar()
const anything = 'anything of any entity'

function read(...texts: readonly string[]): readonly string[] | string {
  const { policies, problems } = parsePolicies(cedar, new Map([['a.cedar', texts.join('\n')]]))
  if (problems.length > 0) throw new TypeError(problems.map(({ message }) => message).join())
  const descents = readDescents(policies)
  return descents === undefined ? anything : [...descents].sort()
}

const when = (condition: string) => `permit (principal, action, resource) when { ${condition} };`
const agent = 'Agent::"a"'

describe('policy/cedar/descents', () => {
  const scopes: readonly [scope: string, want: readonly string[]][] = [
    ['principal, action, resource', []],
    [`principal == ${agent}, action == Action::"x", resource == P::"1"`, []],
    ['principal is Agent, action, resource is P', []],
    ['principal in G::"g", action, resource', ['principal']],
    ['principal is Agent in G::"g", action, resource', ['principal']],
    ['principal, action in Action::"x", resource', ['action']],
    ['principal, action in [Action::"x"], resource', ['action']],
    ['principal, action, resource in S::"s"', ['resource']],
    ['principal, action, resource is P in S::"s"', ['resource']],
  ]
  for (const [scope, want] of scopes) {
    it(`(${scope}) reads the ancestors of ${want.join() || 'nobody'}`, () => {
      expect(read(`permit (${scope});`)).to.deep.equal(want)
    })
  }

  const conditions: readonly [condition: string, want: readonly string[] | string][] = [
    ['true', []],
    ['principal == resource', []],
    ['[principal].contains(resource) && ![].isEmpty() || -1 + 2 * 3 <= 4', []],
    ['if principal is Agent then {a: principal} == {a: resource} else context == {a: 1}', []],
    ['context.role == "caller"', []],
    [`context has delegatee && context.delegatee == ${agent}`, []],
    ['context.chain.actors.contains(principal)', []],
    [`context.chain has subject && context.chain.subject == ${agent}`, []],
    [`context has chain.subject`, []],
    ['context.http.path like "/a/*" && context.params.id == "7"', []],
    ['principal in G::"g"', ['principal']],
    ['[1].contains(1) && (principal in [G::"g"] || !(resource is P in S::"s"))', ['principal', 'resource']],
    ['action in [Action::"x"]', ['action']],
    ['principal in context.chain.actors', ['principal']],
    ['resource in principal', ['resource']],
    ['principal has team', anything],
    ['principal.team == 1', anything],
    ['principal in resource.team', anything],
    ['resource.hasTag("t")', anything],
    ['resource.getTag("t") == 1', anything],
    [`${agent} in G::"g"`, anything],
    [`${agent}.team == 1`, anything],
    ['context.delegatee in G::"g"', anything],
    ['context.delegatee is Agent in G::"g"', anything],
    ['context.delegatee.team == 1', anything],
    ['context.delegatee has team', anything],
    ['context has delegatee.team', anything],
    ['context.chain.subject in G::"g"', anything],
    ['context.chain.subject.team == 1', anything],
    ['context.chain.subject has team', anything],
    ['context has chain.subject.team', anything],
    ['(if true then principal else resource) in G::"g"', anything],
    ['(if true then principal else resource) is Agent in G::"g"', anything],
    ['{a: principal}.a in G::"g"', anything],
    ['{a: principal}.a.team == 1', anything],
    ['[principal has team].contains(true)', anything],
    ['{a: principal has team} == {a: true}', anything],
    ['!(if true then principal has team else false)', anything],
    ['(if true then context else {a: 1}).delegatee.team == 1', anything],
    ['ip("10.0.0.1").isLoopback()', anything],
  ]
  for (const [condition, want] of conditions) {
    it(`\`${condition}\` reads ${typeof want === 'string' ? want : `the ancestors of ${want.join() || 'nobody'}`}`, () => {
      expect(read(when(condition))).to.deep.equal(want)
    })
  }

  it('reads what any of the policies reads', () => {
    expect(read(when('principal in G::"g"'), when('resource in G::"g"'))).to.deep.equal([
      'principal',
      'resource',
    ])
    expect(read(when('principal in G::"g"'), when('resource has a'))).to.equal(anything)
  })
})
