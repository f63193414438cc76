import { expect } from 'chai'
import { judgeSituation, type Situation } from '../../src/authoring/situation.ts'
import { type ExplainedPrincipal, type Explanation, explain } from '../../src/explain/explain.ts'
import type { Revision } from '../../src/policy/revision/revision.ts'
import { hospital } from '../support/identities.ts'
import { hospitalRevision, mustLoad, policyFiles } from '../support/policy-files.ts'

const { agentA, agentD, agentR } = hospital
const clerk = { issuerName: 'hospital', id: 'clerk', groups: ['billing'] }
const record: Situation = {
  caller: agentR,
  subject: clerk,
  actors: [],
  scopes: [],
  isRecovered: false,
  service: 'patient-records',
  method: 'GET',
  path: '/patients/p-17',
  isUpgrade: false,
}

function explained(change: Partial<Situation>, revision: Revision): Explanation {
  return explain(judgeSituation({ ...record, ...change }, revision), revision)
}

/** The conditions that a principal does not meet, one line for each policy. */
function missesOf(principal: ExplainedPrincipal | undefined): readonly string[] {
  return (principal?.misses ?? []).map(({ policy, conditions }) =>
    [
      policy.id.replace(/^.*#/, ''),
      ...conditions.map(({ kind, text, found }) => `${kind} ${text} ${found}`),
    ].join(' | '),
  )
}

describe('explain/explain', () => {
  let sample: Revision
  before(async () => {
    sample = await hospitalRevision()
  })

  it('shows for each principal the policies that decided, with text, file and line', () => {
    const { outcome, code, principals } = explained({}, sample)
    expect([outcome, code]).to.deep.equal(['deny', 'policy_denied'])
    const [caller, subject] = principals
    expect(caller).to.deep.include({ role: 'caller', outcome: 'permit', misses: [] })
    expect(caller?.policies[0]).to.include({ effect: 'permit', line: 2 })
    expect(subject?.policies[0]?.text).to.match(/^@id\("clinicians-only"\)\nforbid/)
  })

  it('shows of a forbid what would have exempted the principal', () => {
    expect(missesOf(explained({}, sample).principals[1])).to.deep.equal([
      'clinicians-only | unless principal in Group::"hospital/clinicians" false',
    ])
  })

  it('shows of the permits that came nearest which conditions were false', () => {
    const { principals } = explained({ caller: agentD, actors: [agentA] }, sample)
    expect(missesOf(principals[0])).to.deep.equal([
      `agent-r-reads | principal principal == Agent::"${agentR.uri}" false`,
    ])
    expect(missesOf(principals[1])).to.deep.equal([
      `agent-r-reads | principal principal == Agent::"${agentR.uri}" false | when context.role == "caller" false`,
      'for-clinicians | principal principal in Group::"hospital/clinicians" false | when context.role == "subject" false',
    ])
  })

  const policies: readonly { readonly name: string; readonly condition: string; readonly want: RegExp }[] = [
    {
      name: 'each conjunct of a condition for itself',
      condition: 'when { context.chain.depth > 0 && context.chain.depth < 1 && context.role == "caller" }',
      want: /^1 \| when [^|]*depth[^|]* < 1 false$/,
    },
    {
      name: 'each disjunct of an exemption for itself',
      condition: 'unless { context.chain.depth == 1 || context.role == "subject" }',
      want: /^1 \| unless [^|]*depth[^|]* == 1 true$/,
    },
    {
      name: 'a condition that cannot be evaluated',
      condition: 'when { context.chain.depth * 9007199254740991 * 9007199254740991 > 0 }',
      want: /^1 \| when [^|]* error$/,
    },
  ]
  for (const { name, condition, want } of policies) {
    it(`shows ${name}`, () => {
      const cedar = `permit (principal, action, resource in Service::"records") ${condition};`
      const revision = mustLoad(policyFiles({ 'team/a.cedar': cedar }))
      const { principals } = explained({ service: 'records' }, revision)
      expect(missesOf(principals[0])[0]).to.match(want)
    })
  }

  it('asks no policy about what was refused before', () => {
    const found = explained({ path: '/nowhere' }, sample)
    expect(found).to.deep.include({ code: 'route_unknown', principals: [], flips: [] })
  })
})
