import { expect } from 'chai'
import fc from 'fast-check'
import type { Caller } from '../../../src/base/model/caller.ts'
import type { Chain } from '../../../src/base/model/chain.ts'
import { deniedBy, isDeny } from '../../../src/base/model/decision.ts'
import type { Target } from '../../../src/base/model/target.ts'
import { judge } from '../../../src/decision/check/judge.ts'
import { targetOf } from '../../../src/policy/catalog/target.ts'
import type { Revision } from '../../../src/policy/revision/revision.ts'
import { readPolicyDirectory } from '../../../src/policy/source/directory-source.ts'
import { caller, clerk, clinician, delegated, firstHop, hospital, user } from '../../support/identities.ts'
import { mustLoad, policyFiles, servicesYaml, workload } from '../../support/policy-files.ts'

type Place = readonly [service: string, method: string, path: string]

const none = { kind: 'none' } as const
const { agentA, agentD, agentR, gateway } = hospital

function target(revision: Revision, [service, method, path]: Place): Target {
  const found = revision.catalog.byName.get(service)
  const wanted = found && targetOf(found, { method, path, isUpgrade: false })
  if (wanted === undefined || isDeny(wanted)) throw new TypeError(`no target ${service} ${path}`)
  return wanted
}

/** `permit`, or the code and who refused in which role. */
function outcome(caller: Caller, chain: Chain, wanted: Target, revision: Revision): string {
  const judgement = judge(caller, chain, wanted, revision)
  if (!isDeny(judgement)) return 'permit'
  return [
    judgement.code,
    ...deniedBy(judgement.results).map(({ role, principal }) => `${role} ${principal.id}`),
  ].join(', ')
}

describe('decision/check/judge', () => {
  let sample: Revision
  before(async () => {
    const files = await readPolicyDirectory('policies')
    if (!('files' in files)) throw new TypeError('policies/ cannot be read')
    sample = mustLoad(files)
  })

  type Row = {
    name: string
    caller: Caller
    chain: Chain
    at: Place
    want: string
  }
  const rows: readonly Row[] = [
    {
      name: 'the clerk asks the billing agent',
      caller: caller(gateway, true),
      chain: firstHop(clerk),
      at: ['billing-agent', 'POST', '/tasks'],
      want: 'permit',
    },
    {
      name: 'agent A asks agent D for the clerk',
      caller: caller(agentA),
      chain: delegated(clerk),
      at: ['insurance-agent', 'POST', '/tasks'],
      want: 'permit',
    },
    {
      name: 'agent D checks the insurance',
      caller: caller(agentD),
      chain: delegated(clerk, [agentA]),
      at: ['insurance', 'GET', '/coverage/42'],
      want: 'permit',
    },
    {
      name: 'agent D reads a record',
      caller: caller(agentD),
      chain: delegated(clerk, [agentA]),
      at: ['patient-records', 'GET', '/patients/42'],
      want: `policy_denied, caller ${agentD.uri}, delegator ${agentA.uri}, subject hospital/clerk`,
    },
    {
      name: 'the clinician reads through agent R',
      caller: caller(agentR),
      chain: delegated(clinician),
      at: ['patient-records', 'GET', '/patients/42'],
      want: 'permit',
    },
    {
      name: 'a strong deputy serves a weak user',
      caller: caller(agentR),
      chain: delegated(clerk),
      at: ['patient-records', 'GET', '/patients/42'],
      want: 'policy_denied, subject hospital/clerk',
    },
    {
      name: 'a delegator that may not stands between those who may',
      caller: caller(agentR),
      chain: delegated(clinician, [agentD]),
      at: ['patient-records', 'GET', '/patients/42'],
      want: `policy_denied, delegator ${agentD.uri}`,
    },
    {
      name: 'no chain, and the service lets nobody in without',
      caller: caller(agentD),
      chain: none,
      at: ['insurance', 'GET', '/coverage/42'],
      want: 'chain_missing',
    },
    {
      name: 'a first hop to a service that is no entry',
      caller: caller(gateway, true),
      chain: firstHop(clerk),
      at: ['insurance', 'GET', '/coverage/42'],
      want: 'chain_missing',
    },
    {
      name: "another issuer's group of the same name",
      caller: caller(gateway, true),
      chain: firstHop({ ...user('clerk', 'billing'), issuerName: 'partner' }),
      at: ['billing-agent', 'POST', '/tasks'],
      want: 'policy_denied, subject partner/clerk',
    },
  ]
  for (const row of rows) {
    it(`${row.name}: ${row.want}`, () => {
      expect(outcome(row.caller, row.chain, target(sample, row.at), sample)).to.equal(row.want)
    })
  }

  const had: readonly { readonly name: string; readonly chain: Chain; readonly want: string }[] = [
    {
      name: 'groups that count',
      chain: firstHop(user('x', 'cleaners', 'cooks')),
      want: 'subject not permitted (groups: cleaners, cooks)',
    },
    { name: 'no group', chain: firstHop(user('x')), want: 'subject not permitted (groups: none)' },
    {
      name: 'groups of which none counts',
      chain: { ...firstHop(user('x')), unlistedGroups: ['/advisors'] },
      want: 'subject not permitted (groups: /advisors; none is in groupsAllow)',
    },
    {
      name: 'many such groups',
      chain: { ...firstHop(user('x')), unlistedGroups: [...'abcdefg'] },
      want: 'subject not permitted (groups: a, b, c, d, e and 2 more; none is in groupsAllow)',
    },
  ]
  for (const { name, chain, want } of had) {
    it(`says of a refused user with ${name} which these are`, () => {
      const at = target(sample, ['billing-agent', 'POST', '/tasks'])
      expect(judge(caller(gateway, true), chain, at, sample)).to.have.property('reason', want)
    })
  }

  it('says nothing of the groups of a user who is permitted', () => {
    const at = target(sample, ['insurance', 'GET', '/coverage/42'])
    const judgement = judge(caller(agentR), delegated(clerk, [agentA]), at, sample)
    expect(judgement)
      .to.have.property('reason')
      .that.matches(/ not permitted$/)
  })

  it('asks in the order caller, delegators, subject, and names the policies', () => {
    const judgement = judge(
      caller(agentD),
      delegated(clerk, [agentA]),
      target(sample, ['insurance', 'GET', '/coverage/42']),
      sample,
    )
    const { results } = judgement
    expect(results.map(({ role }) => role)).to.deep.equal(['caller', 'delegator', 'subject'])
    expect(
      results.map(({ determiningPolicies }) => determiningPolicies.map(({ id }) => id.split('#')[1])),
    ).to.deep.equal([['agent-d-checks-coverage'], ['billing-agents-delegate'], ['for-clerks']])
  })

  it('judges a caller without a chain as autonomous, which no permit for agents covers', () => {
    const agents = 'permit (principal is Agent, action, resource in Service::"records");'
    const named = `${agents}\npermit (principal == Autonomous::"${workload('cron')}", action, resource in Service::"records");`
    const cron = workload('cron')
    const services = servicesYaml({ chainless: [cron], routes: [{ match: 'GET /x', action: 'read-it' }] })
    for (const [text, want] of [
      [agents, 'policy_denied'],
      [named, 'permit'],
    ] as const) {
      const revision = mustLoad(policyFiles({ 'services.yaml': services, 'team/a.cedar': text }))
      const asCron = caller(revision.catalog.services[0]?.chainless[0] ?? agentD)
      expect(
        outcome(asCron, none, target(revision, ['records', 'GET', '/x']), revision).split(',')[0],
      ).to.equal(want)
    }
  })

  it('asks for the scope that a route requires', () => {
    const services = servicesYaml({ routes: [{ match: 'GET /x', action: 'read-it', scope: 'records:read' }] })
    const revision = mustLoad(policyFiles({ 'services.yaml': services }))
    const wanted = target(revision, ['records', 'GET', '/x'])
    expect(outcome(caller(agentD), delegated(clerk, [], ['records:read']), wanted, revision)).to.equal(
      'permit',
    )
    expect(outcome(caller(agentD), delegated(clerk, [], ['records']), wanted, revision)).to.equal(
      'scope_missing',
    )
  })

  it('denies when a forbid cannot be evaluated, which Cedar by itself would skip', () => {
    const text =
      'permit (principal, action, resource in Service::"records");\nforbid (principal, action, resource) when { 9223372036854775807 + context.chain.depth > 0 };'
    const revision = mustLoad(policyFiles({ 'team/a.cedar': text }))
    const wanted = target(revision, ['records', 'GET', '/patients/42'])
    expect(outcome(caller(agentD), delegated(clerk), wanted, revision)).to.match(/^policy_error/)
  })

  it('takes a permit that cannot be evaluated for no grant', () => {
    const text =
      'permit (principal, action, resource in Service::"records") when { 9223372036854775807 + context.chain.depth > 0 };'
    const revision = mustLoad(policyFiles({ 'team/a.cedar': text }))
    const wanted = target(revision, ['records', 'GET', '/patients/42'])
    expect(outcome(caller(agentD), delegated(clerk), wanted, revision)).to.match(/^policy_denied/)
  })

  it('never lets an added actor turn a denial into an allow', () => {
    const everyone = [agentA, agentD, agentR]
    const places = [
      ['insurance', 'GET', '/coverage/1'],
      ['patient-records', 'GET', '/patients/1'],
      ['insurance-agent', 'POST', '/tasks'],
      ['records-agent', 'POST', '/tasks'],
    ] as const
    fc.assert(
      fc.property(
        fc.constantFrom(...everyone),
        fc.array(fc.constantFrom(...everyone), { maxLength: 3 }),
        fc.nat(3),
        fc.constantFrom(...everyone),
        fc.constantFrom(clerk, clinician),
        fc.constantFrom(...places),
        (peer, actors, position, added, subject, place) => {
          const wanted = target(sample, place)
          const longer = actors.toSpliced(position, 0, added)
          const before = judge(caller(peer), delegated(subject, actors), wanted, sample)
          const after = judge(caller(peer), delegated(subject, longer), wanted, sample)
          if (isDeny(before)) expect(isDeny(after)).to.equal(true)
        },
      ),
      { numRuns: 200 },
    )
  })
})
