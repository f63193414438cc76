import { expect } from 'chai'
import { isDeny } from '../../../src/base/model/decision.ts'
import type { Query } from '../../../src/base/model/query.ts'
import type { SpiffeId } from '../../../src/base/model/spiffe-id.ts'
import { targetOf } from '../../../src/policy/catalog/target.ts'
import { clerk, hospital, user } from '../../support/identities.ts'
import { mustLoad, policyFiles } from '../../support/policy-files.ts'

const overflow = '9223372036854775807 + context.chain.depth > 0'
const scope = 'principal, action, resource in Service::"records"'

/** The answer of the policies for agent D as caller; `files` overlay the repository. */
function evaluate(policies: string, files: Readonly<Record<string, string>> = {}) {
  const revision = mustLoad(policyFiles({ 'team/a.cedar': policies, ...files }))
  const [service] = revision.catalog.services
  const target = service && targetOf(service, { method: 'GET', path: '/patients/42', isUpgrade: false })
  if (target === undefined || isDeny(target)) throw new TypeError('no target')
  const chain = { actors: [hospital.agentD], subject: clerk, scopes: [], isRecovered: false }
  const query: Query = {
    principal: { kind: 'agent', id: hospital.agentD },
    role: 'caller',
    delegatee: undefined,
    chain,
    target,
  }
  return revision.evaluate(query)
}

describe('policy/revision/revision', () => {
  const rows = [
    { name: 'a permit', policies: `permit (${scope});`, outcome: 'permit', determining: [1], errors: [] },
    {
      name: 'no permit',
      policies: `permit (${scope}) when { context.role == "subject" };`,
      outcome: 'no-permit',
      determining: [],
      errors: [],
    },
    {
      name: 'a forbid over a permit',
      policies: `permit (${scope});\nforbid (${scope});`,
      outcome: 'forbid',
      determining: [2],
      errors: [],
    },
    {
      name: 'a forbid that errs',
      policies: `permit (${scope});\nforbid (${scope}) when { ${overflow} };`,
      outcome: 'error',
      determining: [1],
      errors: [2],
    },
    {
      name: 'a permit that errs beside one that permits',
      policies: `permit (${scope});\npermit (${scope}) when { ${overflow} };`,
      outcome: 'permit',
      determining: [1],
      errors: [2],
    },
    {
      name: 'a permit that errs alone',
      policies: `permit (${scope}) when { ${overflow} };`,
      outcome: 'no-permit',
      determining: [],
      errors: [1],
    },
  ]
  for (const { name, policies, outcome, determining, errors } of rows) {
    it(`${name}: ${outcome}, by policies with their lines`, () => {
      const result = evaluate(policies)
      expect(result.outcome).to.equal(outcome)
      expect(result.determiningPolicies.map(({ line }) => line)).to.deep.equal(determining)
      expect(result.errors.map(({ policy }) => policy.line)).to.deep.equal(errors)
    })
  }

  const reads = [
    ['the namespace', 'principal in Namespace::"hospital.example/billing"'],
    ['the trust domain', 'principal in TrustDomain::"hospital.example"'],
    ['the role', 'context.role == "caller"'],
    ['the depth', 'context.chain.depth == 1'],
    ['the actors', `context.chain.actors.contains(Agent::"${hospital.agentD?.uri}")`],
    [
      "the subject's groups",
      'context.chain has subject && context.chain.subject in Group::"hospital/billing"',
    ],
    ['the method and path', 'context.http.method == "GET" && context.http.path like "/patients/*"'],
    ['the parameters', 'context.params has patientId && context.params.patientId == "42"'],
    ['the resource itself', 'resource == Patient::"42"'],
  ]
  for (const [name, condition] of reads) {
    it(`lets a policy read ${name}`, () => {
      expect(evaluate(`permit (${scope}) when { ${condition} };`)).to.have.property('outcome', 'permit')
      expect(evaluate(`permit (${scope}) unless { ${condition} };`)).to.have.property('outcome', 'no-permit')
    })
  }

  const appliesTo =
    'appliesTo {principal: [Agent, User, Autonomous], resource: [Patient, Service], context: RequestContext}'
  const grouped = `
namespace Lab { action "sensitive"; action "export" in ["sensitive"]; }
namespace Site { action "sensitive"; }
entity Patient in [Service];
action "read-it" in [Lab::Action::"export"] ${appliesTo};
`
  const groups = [
    { test: 'action in Lab::Action::"sensitive"', outcome: 'forbid' },
    { test: 'action in Lab::Action::"export"', outcome: 'forbid' },
    { test: 'action in [Lab::Action::"sensitive"]', outcome: 'forbid' },
    { test: 'action in Site::Action::"sensitive"', outcome: 'permit' },
    { test: 'action in Action::"read"', outcome: 'permit' },
  ]
  // Attributes decide whether Cedar has the schema, and so whether it knows the groups of actions by itself.
  const worlds = {
    'without entities.json': {},
    'with parents in entities.json': {
      'entities.json': '[{"uid":{"type":"AgentGroup","id":"a"},"parents":[{"type":"AgentGroup","id":"b"}]}]',
    },
    'with attributes in entities.json': {
      'schema.cedarschema': grouped.replace('[Service];', '[Service] {vip?: Bool};'),
      'entities.json': '[{"uid":{"type":"Patient","id":"42"},"attrs":{"vip":true}}]',
    },
  }
  for (const [world, files] of Object.entries(worlds)) {
    for (const { test, outcome } of groups) {
      it(`${outcome === 'forbid' ? 'applies' : 'does not apply'} a forbid on ${test}, ${world}`, () => {
        const rest = 'resource in Service::"records"'
        const all = { 'schema.cedarschema': grouped, ...files }
        const inScope = evaluate(`permit (${scope});\nforbid (principal, ${test}, ${rest});`, all)
        const inCondition = evaluate(`permit (${scope});\nforbid (${scope}) when { ${test} };`, all)
        expect([inScope.outcome, inCondition.outcome]).to.deep.equal([outcome, outcome])
      })
    }
  }

  it('never answers for a user from memory who has lost a group, or got one', () => {
    const revision = mustLoad(
      policyFiles({
        'team/a.cedar': `permit (principal in Group::"hospital/billing", action, resource in Service::"records");`,
      }),
    )
    const [service] = revision.catalog.services
    const target = service && targetOf(service, { method: 'GET', path: '/patients/42', isUpgrade: false })
    if (target === undefined || isDeny(target)) throw new TypeError('no target')
    const outcomes = [['billing'], [], ['billing'], ['other']].map((groups) => {
      const subject = user('clerk', ...groups)
      const chain = { actors: [hospital.agentD], subject, scopes: [], isRecovered: false }
      return revision.evaluate({
        principal: { kind: 'user', subject },
        role: 'subject',
        delegatee: hospital.agentD,
        chain,
        target,
      }).outcome
    })
    expect(outcomes).to.deep.equal(['permit', 'no-permit', 'permit', 'no-permit'])
  })

  it('gives equal results about different resources as one object, so that remembering many weighs little', () => {
    const policies = `permit (${scope});`
    const revision = mustLoad(policyFiles({ 'team/a.cedar': policies }))
    const [service] = revision.catalog.services
    const results = ['/patients/1', '/patients/2'].map((path) => {
      const target = service && targetOf(service, { method: 'GET', path, isUpgrade: false })
      if (target === undefined || isDeny(target)) throw new TypeError('no target')
      const chain = { actors: [hospital.agentD], subject: clerk, scopes: [], isRecovered: false }
      const ask = (role: Query['role'], id: SpiffeId) =>
        revision.evaluate({ principal: { kind: 'agent', id }, role, delegatee: undefined, chain, target })
      return [
        ask('caller', hospital.agentD),
        ask('delegator', hospital.agentD),
        ask('caller', hospital.agentA),
      ]
    })
    const [one = [], other = []] = results
    expect(one.map((result, index) => result === other[index])).to.deep.equal([true, true, true])
    expect(new Set(one).size).to.equal(3)
  })
})
