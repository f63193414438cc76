import { expect } from 'chai'
import type { Policy } from '../../../src/policy/cedar/policies.ts'
import { parseProposal } from '../../../src/policy/rules/other-policies.ts'
import {
  namedInScope,
  namedRoles,
  principalTypesOf,
  rolesOf,
} from '../../../src/policy/rules/policy-facts.ts'

function policy(cedar: string): Policy {
  const [found] = parseProposal('a.cedar', cedar)
  if (found === undefined) throw new TypeError(cedar)
  return found
}

const all = ['caller', 'delegator', 'subject', 'autonomous']

describe('policy/rules/policy-facts', () => {
  const principals: readonly (readonly [scope: string, types: readonly string[]])[] = [
    ['principal', ['Agent', 'Autonomous', 'User']],
    ['principal is Autonomous', ['Autonomous']],
    ['principal == Agent::"a"', ['Agent']],
    ['principal in AgentGroup::"a"', ['Agent']],
    ['principal in Namespace::"a"', ['Agent']],
    ['principal is User in Group::"a"', ['User']],
    ['principal in Group::"a"', ['User']],
    ['principal == Patient::"a"', []],
  ]
  for (const [scope, types] of principals) {
    it(`\`${scope}\` can be ${types.join(', ') || 'nobody who calls'}`, () => {
      expect(principalTypesOf(policy(`permit (${scope}, action, resource);`))).to.deep.equal(types)
    })
  }

  const conditions: readonly (readonly [conditions: string, roles: readonly string[]])[] = [
    ['', all],
    ['when { context.role == "caller" }', ['caller']],
    ['when { context.role == "caller" && context.chain.depth > 1 }', ['caller']],
    ['when { context.role == "caller" || context.role == "subject" }', ['caller', 'subject']],
    ['when { context.role == "caller" || context.chain.depth > 1 }', all],
    ['when { ["caller", "delegator"].contains(context.role) }', ['caller', 'delegator']],
    ['when { context.role == "caller" } when { context.role == "subject" }', []],
    ['when { context.role == "nobody" }', []],
    ['unless { context.role == "autonomous" }', ['caller', 'delegator', 'subject']],
    [
      'unless { context.role == "autonomous" || context.chain.depth > 1 }',
      ['caller', 'delegator', 'subject'],
    ],
    ['unless { context.role == "autonomous" && context.chain.depth > 1 }', all],
    ['when { context.role != "caller" }', all],
  ]
  for (const [text, roles] of conditions) {
    it(`\`${text || 'no condition'}\` can hold for ${roles.join(', ') || 'no role'}`, () => {
      expect(rolesOf(policy(`permit (principal, action, resource) ${text};`))).to.deep.equal(roles)
    })
  }

  const named: readonly (readonly [conditions: string, roles: readonly string[]])[] = [
    ['', []],
    ['when { context.role == "user" }', ['user']],
    ['when { context.role == "caller" && context.role == "calller" }', ['caller', 'calller']],
    ['when { ["caller", "a\\"b", "caller"].contains(context.role) }', ['caller', 'a"b']],
    ['when { [].contains(context.role) }', []],
    ['unless { context.http.method == "user" || context.role == "agent" }', ['agent']],
  ]
  for (const [text, roles] of named) {
    it(`\`${text || 'no condition'}\` compares the role with ${roles.join(', ') || 'nothing'}`, () => {
      expect(namedRoles(policy(`permit (principal, action, resource) ${text};`))).to.deep.equal(roles)
    })
  }

  it('names the action and the service that a scope names outright', () => {
    const named = (scope: string) => namedInScope(policy(`permit (principal, ${scope});`))
    expect(named('action == Action::"a", resource is Patient in Service::"s"')).to.deep.equal({
      action: { type: 'Action', id: 'a' },
      service: 's',
    })
    expect(named('action == Lab::Action::"a", resource').action).to.deep.equal({
      type: 'Lab::Action',
      id: 'a',
    })
    expect(named('action in Action::"a", resource in Ward::"w"')).to.deep.equal({
      action: undefined,
      service: undefined,
    })
  })
})
