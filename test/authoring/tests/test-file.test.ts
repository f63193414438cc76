import { expect } from 'chai'
import { type PolicyTest, parseTestFile } from '../../../src/authoring/tests/test-file.ts'
import { isProblems } from '../../../src/base/model/problems.ts'
import { problemsOf } from '../../support/forge.ts'

const agentA = 'spiffe://hospital.example/ns/billing/sa/agent-a'
const head = `agents: {a: '${agentA}'}\nsubjects: {clerk: {id: hospital/clerk, groups: [billing]}}\n`
const whole = `caller: a, chain: {subject: clerk}, request: {service: s, method: GET, path: /}, expect: {decision: allow}`

function parse(text: string): readonly PolicyTest[] {
  const tests = parseTestFile('tests/a.yaml', head + text)
  if (isProblems(tests)) throw new TypeError(JSON.stringify(tests))
  return tests
}

describe('authoring/tests/test-file', () => {
  it('resolves the names of agents and subjects', () => {
    const [test] = parse(`tests:\n  - {name: one, ${whole}}\n`)
    expect(test).to.deep.include({ file: 'tests/a.yaml', line: 4, name: 'one' })
    expect(test?.situation.caller).to.have.property('uri', agentA)
    expect(test?.situation.subject).to.deep.equal({
      issuerName: 'hospital',
      id: 'clerk',
      groups: ['billing'],
    })
  })

  it('lets a case say only what differs from its test', () => {
    const tests = parse(
      [
        'tests:',
        `  - name: all`,
        `    caller: a`,
        `    chain: {subject: clerk, actors: [a]}`,
        `    request: {service: s, method: GET, path: /}`,
        `    expect: {decision: deny}`,
        '    cases:',
        '      - {name: other groups, chain: {groups: [x]}}',
        '      - {name: no chain, chain: none, expect: {code: chain_missing}}',
        '      - {name: other path, request: {path: /b}, caller: ingress}',
      ].join('\n'),
    )
    expect(tests.map(({ name, line }) => [name, line])).to.deep.equal([
      ['all: other groups', 10],
      ['all: no chain', 11],
      ['all: other path', 12],
    ])
    const [groups, none, path] = tests
    expect(groups?.situation).to.have.nested.property('subject.groups[0]', 'x')
    expect(groups?.situation.actors).to.have.length(1)
    expect(none?.situation.subject).to.equal(undefined)
    expect(none?.expected).to.deep.include({ decision: 'deny', code: 'chain_missing' })
    expect(path?.situation).to.include({ caller: 'ingress', service: 's', path: '/b' })
  })

  it('takes a refusal by role alone, or with its principal and policies', () => {
    const [test] = parse(
      `tests:\n  - {name: one, ${whole.replace('{decision: allow}', '{decision: deny, deniedBy: [caller, {role: subject, principal: clerk}]}')}}\n`,
    )
    const [caller, subject] = test?.expected.deniedBy ?? []
    expect(caller).to.include({ role: 'caller' })
    expect(subject).to.include({ role: 'subject', principal: 'hospital/clerk' })
  })

  const refused: readonly { readonly name: string; readonly text: string }[] = [
    { name: 'an unknown key', text: `tests: [{name: one, ${whole}, notes: x}]` },
    {
      name: 'an unknown code',
      text: `tests: [{name: one, ${whole.replace('decision: allow', 'decision: deny, code: nope')}}]`,
    },
    { name: 'a test without a caller', text: `tests: [{name: one, ${whole.replace('caller: a, ', '')}}]` },
    {
      name: 'a test without a chain',
      text: `tests: [{name: one, ${whole.replace('chain: {subject: clerk}, ', '')}}]`,
    },
    {
      name: 'a test without a decision',
      text: `tests: [{name: one, ${whole.replace('decision: allow', '')}}]`,
    },
    { name: 'a test without a path', text: `tests: [{name: one, ${whole.replace(', path: /', '')}}]` },
    {
      name: 'an agent that nobody named',
      text: `tests: [{name: one, ${whole.replace('caller: a', 'caller: b')}}]`,
    },
    {
      name: 'a subject that nobody named',
      text: `tests: [{name: one, ${whole.replace('clerk}', 'nobody}')}}]`,
    },
    ...[
      'caller: a, request: {tcp: true}',
      'caller: a, request: {service: s, tcp: true, method: GET}',
      'caller: a, request: {service: s, tcp: true, path: /}',
      'caller: a, request: {service: s, tcp: true, upgrade: false}',
      'caller: a, chain: {subject: clerk}, request: {service: s, tcp: true}',
      'caller: ingress, request: {service: s, tcp: true}',
      'request: {service: s, tcp: true}',
      'caller: b, request: {service: s, tcp: true}',
    ].map((keys) => ({
      name: `a connection with ${keys}`,
      text: `tests: [{name: one, ${keys}, expect: {decision: deny}}]`,
    })),
    {
      name: 'a connection without a decision',
      text: 'tests: [{name: one, caller: a, request: {service: s, tcp: true}}]',
    },
    { name: 'a method that is empty', text: `tests: [{name: one, ${whole.replace('GET', "''")}}]` },
    { name: 'no cases', text: `tests: [{name: one, ${whole}, cases: []}]` },
    { name: 'what is no YAML', text: 'tests: [' },
  ]
  for (const { name, text } of refused) {
    it(`refuses ${name}, with its line`, () => {
      const problems = parseTestFile('tests/a.yaml', head + text)
      expect(problemsOf(problems)[0]).to.have.property('line').that.is.at.least(3)
    })
  }
})
