import { expect } from 'chai'
import { createCedar } from '../../../src/policy/cedar/cedar.ts'
import { readFootprint } from '../../../src/policy/cedar/footprint.ts'
import type { Policy } from '../../../src/policy/cedar/policies.ts'

const cedar = createCedar()

function policy(text: string): Policy {
  const answer = cedar.policyToJson(text)
  if (answer.type === 'failure') throw new TypeError(answer.errors.map(({ message }) => message).join())
  return { id: text, file: 'a.cedar', line: 1, text, json: answer.json, annotations: {} }
}

const when = (condition: string) => policy(`permit (principal, action, resource) when { ${condition} };`)

describe('policy/cedar/footprint', () => {
  const rows: readonly { condition: string; want: readonly string[] | undefined }[] = [
    { condition: 'true', want: [] },
    { condition: 'context.role == "caller"', want: ['role'] },
    { condition: 'context["role"] == "caller"', want: ['role'] },
    { condition: 'context has delegatee', want: ['delegatee'] },
    { condition: 'context has params.a && context.params.a == "x"', want: ['params'] },
    { condition: 'context.chain.actors.contains(principal)', want: ['chain'] },
    { condition: 'if context has role then context.http.method == "GET" else false', want: ['role', 'http'] },
    { condition: '[context.role].contains("caller")', want: ['role'] },
    { condition: 'principal has role && principal.role == "x"', want: [] },
    { condition: '{a: context.role} == {a: "x"}', want: ['role'] },
    { condition: 'context == {a: 1}', want: undefined },
    { condition: '{a: context} == {a: {b: 1}}', want: undefined },
    { condition: '[context].contains({a: 1})', want: undefined },
    { condition: '(if true then context else {a: 1}).a == 1', want: undefined },
  ]
  for (const { condition, want } of rows) {
    it(`\`${condition}\` reads ${want === undefined ? 'everything' : want.join(', ') || 'nothing'}`, () => {
      const { context } = readFootprint([when(condition)])
      expect(context && [...context].sort()).to.deep.equal(want && [...want].sort())
    })
  }

  it('reads what any of the policies reads', () => {
    const { context } = readFootprint([when('context.role == "a"'), when('context has http')])
    expect([...(context ?? [])]).to.have.members(['role', 'http'])
  })

  it('finds every entity that policies name, in scopes and conditions', () => {
    const text =
      'permit (principal == A::"1", action in [Action::"2", Action::"3"], resource is P in S::"4") when { principal in [G::"5", {a: H::"6"}.a] };'
    const named = readFootprint([policy(text)]).literals.map(({ type, id }) => `${type}${id}`)
    expect(named).to.have.members(['A1', 'Action2', 'Action3', 'S4', 'G5', 'H6'])
  })
})
