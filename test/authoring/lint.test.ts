import { expect } from 'chai'
import { lint } from '../../src/authoring/lint.ts'
import type { Finding } from '../../src/authoring/lint-finding.ts'
import {
  hospitalRevision,
  mustLoad,
  policyFiles,
  servicesYaml,
  waypoint,
  workload,
} from '../support/policy-files.ts'

const agent = workload('records')
const routes = [{ match: 'GET /patients/{patientId}', action: 'read-it', resource: 'Patient::{patientId}' }]
const inRecords = 'resource in Service::"records"'
/** A permit that gives no reason to complain. */
const sound = `@id("sound") permit (principal is User, action, ${inRecords}) when { context.role == "subject" };\n`

function lintOf(cedar: string, services?: string): readonly Finding[] {
  const catalog = services ?? servicesYaml({ routes })
  return lint(mustLoad(policyFiles({ 'team/a.cedar': sound + cedar, 'services.yaml': catalog })))
}

describe('authoring/lint', () => {
  it('finds nothing in the sample', async () => {
    expect(lint(await hospitalRevision())).to.deep.equal([])
  })

  const policies: readonly {
    readonly name: string
    readonly cedar: string
    readonly want: readonly string[]
  }[] = [
    { name: 'a sound policy', cedar: '', want: [] },
    {
      name: 'a permit without role for every caller',
      cedar: `permit (principal, action == Action::"read-it", ${inRecords});`,
      want: ['permit-without-role'],
    },
    {
      name: 'one that says that it is meant',
      cedar: `@blanket("why") permit (principal, action == Action::"read-it", ${inRecords}) when { context.chain.depth < 2 };`,
      want: [],
    },
    {
      name: 'one that names the roles',
      cedar: `permit (principal, action, ${inRecords}) when { ["caller", "delegator"].contains(context.role) };`,
      want: [],
    },
    {
      name: 'one that excludes the role',
      cedar: `permit (principal, action, ${inRecords}) unless { context.role == "autonomous" || context.chain.depth > 2 };`,
      want: [],
    },
    {
      name: 'a forbid without role',
      cedar: `forbid (principal, action, ${inRecords}) when { context.chain.depth > 3 };`,
      want: [],
    },
    {
      name: 'an impossible condition',
      cedar: `permit (principal is Agent, action, ${inRecords}) when { principal is User };`,
      want: ['never-matches'],
    },
    {
      name: 'a role that is misspelt',
      cedar: `permit (principal is Agent, action, ${inRecords}) when { context.role == "calller" };`,
      want: ['never-matches'],
    },
    {
      name: 'a role that the principal never has',
      cedar: `permit (principal is User, action, ${inRecords}) when { context.role == "caller" };`,
      want: ['never-matches'],
    },
    {
      name: 'two roles at once',
      cedar: `permit (principal is Agent, action, ${inRecords}) when { context.role == "caller" && context.role == "delegator" };`,
      want: ['never-matches'],
    },
    {
      name: 'a service that there is not',
      cedar: 'permit (principal is Agent, action, resource in Service::"archive");',
      want: ['unknown-name'],
    },
    {
      name: 'an action that no route asks',
      cedar: `permit (principal is Agent, action == Action::"GET", resource == Service::"records");`,
      want: ['unknown-name'],
    },
    {
      name: 'a permit within a wider one',
      cedar: `permit (principal == User::"a/b", action == Action::"read-it", ${inRecords}) when { context.role == "subject" };`,
      want: ['shadowed'],
    },
    {
      name: 'a permit that a forbid makes vain',
      cedar: `forbid (principal is Agent, action, ${inRecords});\npermit (principal == Agent::"${agent}", action, ${inRecords});`,
      want: ['shadowed'],
    },
    { name: 'the same policy twice', cedar: sound.replace('sound', 'again'), want: ['shadowed'] },
  ]
  for (const { name, cedar, want } of policies) {
    it(`finds ${want.join(' and ') || 'nothing'} in ${name}`, () => {
      expect(lintOf(cedar).map(({ rule }) => rule)).to.have.members(want)
    })
  }

  it('finds two services on one service account, on the line of each', () => {
    const twin = { spiffeId: workload('records'), waypoint, shared: 'one deployment', routes }
    const services = [
      { name: 'records', addresses: ['10.0.0.1:80'], ...twin },
      { name: 'other', addresses: ['10.0.0.2:80'], ...twin },
    ]
    const found = lintOf('', JSON.stringify({ services }))
    expect(found.map(({ rule, file }) => [rule, file])).to.deep.equal([
      ['shared-account', 'services.yaml'],
      ['shared-account', 'services.yaml'],
    ])
  })

  const roles: readonly (readonly [scope: string, condition: string, message: string])[] = [
    [
      'principal is Agent',
      'context.role == "user"',
      'there is no role `user`; the roles are `caller`, `delegator`, `subject`, `autonomous`',
    ],
    [
      'principal is Agent',
      'context.role == "calller"',
      'there is no role `calller`; the roles are `caller`, `delegator`, `subject`, `autonomous`, did you mean `caller`?',
    ],
    [
      'principal is Agent',
      '["caller", "x"].contains(context.role) && ["y", "z"].contains(context.role)',
      'there is no role `x`, `y`, `z`; the roles are `caller`, `delegator`, `subject`, `autonomous`',
    ],
    [
      'principal is Agent',
      'context.role == "caller" && context.role == "delegator"',
      'it demands the roles `caller`, `delegator` at once',
    ],
    [
      'principal is User',
      'context.role == "caller"',
      'it demands the role `caller`, and `User` only ever has `subject`',
    ],
    [
      'principal in AgentGroup::"a"',
      '["subject", "autonomous"].contains(context.role)',
      'it demands the role `subject`, `autonomous`, and `Agent` only ever has `caller`, `delegator`',
    ],
  ]
  for (const [scope, condition, message] of roles) {
    it(`names the roles of a policy that never matches: ${scope}, ${condition}`, () => {
      const found = lintOf(`permit (${scope}, action, ${inRecords}) when { ${condition} };`)
      const [finding] = found.filter(({ rule }) => rule === 'never-matches')
      expect(finding?.message).to.equal(`policy \`team/a.cedar#2\`: never matches: ${message}`)
    })
  }

  it('finds that another service asks the action, and not the one that the policy names', () => {
    const [one, other] = ['records', 'plain'].map((name, index) => ({
      name,
      addresses: [`10.0.0.${index + 1}:80`],
      spiffeId: workload(name),
      waypoint,
      ...(name === 'records' ? { routes } : {}),
    }))
    const cedar = `permit (principal is Agent, action == Action::"GET", ${inRecords});`
    const [finding] = lintOf(cedar, JSON.stringify({ services: [one, other] }))
    expect(finding).to.include({ rule: 'never-matches', policy: 'team/a.cedar#2' })
    expect(finding?.message).to.include('no route of `records` asks `Action::"GET"`')
  })

  it("names few of many services on one service account beside each one's own name", () => {
    const services = Array.from({ length: 100 }, (_, index) => ({
      name: `s${index}`,
      addresses: [`10.0.0.${index}:80`],
      spiffeId: workload('records'),
      waypoint,
      shared: 'one deployment',
      routes,
    }))
    const found = lintOf('', JSON.stringify({ services })).filter(({ rule }) => rule === 'shared-account')
    expect(found).to.have.length(100)
    expect(new Set(found.map(({ message }) => message.match(/`s\d+`/g)?.length))).to.deep.equal(new Set([11]))
  })

  it('names the policy, its file and its line', () => {
    const [finding] = lintOf(
      `permit (principal is User, action, ${inRecords}) when { context.role == "caller" };`,
    )
    expect(finding).to.include({ file: 'team/a.cedar', line: 2, policy: 'team/a.cedar#2' })
  })
})
