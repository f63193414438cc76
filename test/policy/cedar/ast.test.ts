import { expect } from 'chai'
import { comparedRoles, objectsIn, operandsOf } from '../../../src/policy/cedar/ast.ts'
import { createCedar } from '../../../src/policy/cedar/cedar.ts'

/** The condition of a policy as Cedar's own JSON. */
function conditionOf(text: string): unknown {
  const answer = createCedar().policyToJson(`permit (principal, action, resource) when { ${text} };`)
  if (answer.type === 'failure') throw new TypeError(answer.errors.map(({ message }) => message).join())
  return answer.json.conditions[0]?.body
}

describe('policy/cedar/ast', () => {
  for (const { text, want } of [
    { text: 'context.role == "caller"', want: ['caller'] },
    { text: '"caller" == context.role', want: ['caller'] },
    { text: '["caller", "subject"].contains(context.role)', want: ['caller', 'subject'] },
    { text: '[].contains(context.role)', want: [] },
    { text: '["caller", context.role].contains(context.role)', want: undefined },
    { text: 'context.role != "caller"', want: undefined },
    { text: 'context.chain.role == "caller"', want: undefined },
    { text: 'principal.role == "caller"', want: undefined },
    { text: 'context.role == "caller" && true', want: undefined },
    { text: 'context.role == context.role', want: undefined },
    { text: 'context.role like "caller"', want: undefined },
    { text: 'context.roles == "caller"', want: undefined },
  ]) {
    it(`reads the roles of ${text}`, () => {
      expect(comparedRoles(conditionOf(text))).to.deep.equal(want)
    })
  }

  it('gives both operands of an operator, and none of another', () => {
    const both = conditionOf('context.role == "caller" && principal == resource')
    const [left, right] = operandsOf(both, '&&') ?? []
    expect(comparedRoles(left)).to.deep.equal(['caller'])
    expect(operandsOf(right, '==')).to.have.length(2)
    expect(operandsOf(both, '||')).to.equal(undefined)
    expect(operandsOf('text', '&&')).to.equal(undefined)
  })

  it('finds expressions wherever they stand', () => {
    const deep = conditionOf(
      'if !(context.role == "a") then [context.role == "b"] == [] else {x: context.role == "c"}.x',
    )
    expect([...objectsIn(deep)].flatMap((each) => comparedRoles(each) ?? [])).to.deep.equal(['a', 'b', 'c'])
  })
})
