import { expect } from 'chai'
import type { Chain } from '../../../src/base/model/chain.ts'
import { isDeny, type PrincipalResult } from '../../../src/base/model/decision.ts'
import type { Query } from '../../../src/base/model/query.ts'
import { judge } from '../../../src/decision/check/judge.ts'
import { principalUid } from '../../../src/policy/cedar/cedar-call.ts'
import { recordTarget } from '../../support/decision.ts'
import { caller, clerk, delegated, firstHop, hospital } from '../../support/identities.ts'
import { agents, ask, chainAfter, codeOf, except, placeNamed, places } from '../../support/places.ts'

const { agentA, agentD, agentR, gateway } = hospital
const target = {
  ...recordTarget,
  requiredScope: undefined,
  service: { ...recordTarget.service, isEntry: true, chainless: [agentD] },
}

type Outcome = PrincipalResult['outcome']

/** The questions that `judge` asks about a chain, and its decision for these answers. */
function questionsOf(chain: Chain, outcomes: readonly Outcome[] = []) {
  const queries: Query[] = []
  const evaluate = (query: Query): PrincipalResult => {
    queries.push(query)
    const outcome = outcomes[queries.length - 1] ?? 'permit'
    return {
      principal: principalUid(query.principal),
      role: query.role,
      outcome,
      determiningPolicies: [],
      errors: [],
    }
  }
  const from = chain.kind === 'first-hop' ? caller(gateway, true) : caller(agentD)
  const decision = judge(from, chain, target, { evaluate })
  return { queries, code: isDeny(decision) ? decision.code : 'permit', results: decision.results }
}

describe('the questions of judge', () => {
  it('say who each principal is, in which role, and to whom it handed the work', () => {
    const { queries } = questionsOf(delegated(clerk, [agentA, agentR]))
    expect(
      queries.map(({ principal, role, delegatee }) => [role, principalUid(principal).id, delegatee?.uri]),
    ).to.deep.equal([
      ['caller', agentD.uri, undefined],
      ['delegator', agentA.uri, agentD.uri],
      ['delegator', agentR.uri, agentA.uri],
      ['subject', 'hospital/clerk', agentR.uri],
    ])
  })

  it('say of the user at the first hop that nobody has the work yet', () => {
    const { queries } = questionsOf(firstHop(clerk))
    expect(queries.map(({ role, delegatee }) => [role, delegatee])).to.deep.equal([['subject', undefined]])
  })

  it('say of a caller without a chain that it is autonomous', () => {
    const { queries } = questionsOf({ kind: 'none' })
    expect(queries.map(({ principal, role, delegatee }) => [principal.kind, role, delegatee])).to.deep.equal([
      ['autonomous', 'autonomous', undefined],
    ])
  })

  for (const { name, chain, want } of [
    {
      name: 'a chain',
      chain: delegated(clerk, [agentA, agentR], ['one', 'two']),
      want: { actors: [agentD, agentA, agentR], subject: clerk, scopes: ['one', 'two'], isRecovered: false },
    },
    {
      name: 'a chain that was found again',
      chain: { ...delegated(clerk), isRecovered: true },
      want: { actors: [agentD], subject: clerk, scopes: [], isRecovered: true },
    },
    {
      name: 'the first hop',
      chain: firstHop(clerk, ['one', 'two']),
      want: { actors: [], subject: clerk, scopes: ['one', 'two'], isRecovered: false },
    },
    {
      name: 'no chain',
      chain: { kind: 'none' } as const,
      want: { actors: [], subject: undefined, scopes: [], isRecovered: false },
    },
  ]) {
    it(`say the same of ${name} to every principal`, () => {
      const { queries } = questionsOf(chain)
      for (const query of queries) expect(query.chain).to.deep.equal(want)
      expect(queries).to.not.have.length(0)
    })
  }

  for (const { outcomes, want } of [
    { outcomes: ['permit', 'permit', 'permit'], want: 'permit' },
    ...[0, 1, 2].flatMap((at) =>
      (['forbid', 'no-permit', 'error', 'unavailable'] as const).map((outcome) => ({
        outcomes: ['permit', 'permit', 'permit'].with(at, outcome),
        want:
          outcome === 'error'
            ? 'policy_error'
            : outcome === 'unavailable'
              ? 'policy_unavailable'
              : 'policy_denied',
      })),
    ),
    { outcomes: ['forbid', 'error', 'permit'], want: 'policy_error' },
    { outcomes: ['error', 'forbid', 'permit'], want: 'policy_error' },
    { outcomes: ['error', 'permit', 'unavailable'], want: 'policy_unavailable' },
    { outcomes: ['unavailable', 'error', 'forbid'], want: 'policy_unavailable' },
  ] as readonly { outcomes: readonly Outcome[]; want: string }[]) {
    it(`end in ${want} when the answers are ${outcomes.join(', ')}`, () => {
      const { code, results } = questionsOf(delegated(clerk, [agentA]), outcomes)
      expect(code).to.equal(want)
      expect(results.map(({ outcome }) => outcome)).to.deep.equal(outcomes)
    })
  }
})

describe('what a question says', () => {
  const [one = '', two = '', three = ''] = agents
  const place = placeNamed('the last service')

  for (const { principal, delegatee } of [
    { principal: `Agent::"${two}"`, delegatee: three },
    { principal: `Agent::"${one}"`, delegatee: two },
    { principal: 'User::"hospital/clerk"', delegatee: one },
  ]) {
    it(`reaches policies: ${principal} handed its work to ${delegatee.slice(-5)}`, async () => {
      const forbid = (agent: string) =>
        `forbid (principal == ${principal}, action, resource) when { context has delegatee && context.delegatee == Agent::"${agent}" };`
      expect(codeOf(await ask({ policies: except(forbid(delegatee)) }, place))).to.equal('policy_denied')
      for (const agent of [one, two, three].filter((each) => each !== delegatee))
        expect(codeOf(await ask({ policies: except(forbid(agent)) }, place))).to.equal('allow')
    })
  }

  for (const role of ['caller', 'delegator', 'subject', 'autonomous']) {
    it(`reaches policies: the role ${role}`, async () => {
      const at = role === 'autonomous' ? placeNamed('no chain') : place
      const forbidden = `forbid (principal, action, resource) when { context.role == "${role}" };`
      const { decision } = await ask({ policies: except(forbidden) }, at)
      const refusing = decision.results.filter(({ outcome }) => outcome !== 'permit')
      expect(new Set(refusing.map((result) => result.role))).to.deep.equal(new Set([role]))
    })
  }

  it('reaches policies: whether the chain was found again, now or before', async () => {
    const policies = except('forbid (principal, action, resource) when { context.chain.recovered };')
    for (const each of places)
      expect(codeOf(await ask({ policies }, each))).to.equal(
        each.name === 'a chain that was found again' ? 'policy_denied' : 'allow',
      )
    const before = { 'actor-chain': chainAfter(two, [one], { recovered: true } as object) }
    expect(codeOf(await ask({ policies }, placeNamed('the second agent'), { headers: before }))).to.equal(
      'policy_denied',
    )
  })

  for (const { name, condition } of [
    { name: 'the caller is among the actors', condition: `context.chain.actors.contains(Agent::"${three}")` },
    { name: 'the first actor is', condition: `context.chain.actors.contains(Agent::"${one}")` },
    { name: 'the depth', condition: 'context.chain.depth == 3' },
    {
      name: 'the subject',
      condition: 'context.chain has subject && context.chain.subject == User::"hospital/clerk"',
    },
    { name: 'a scope', condition: 'context.chain.scopes.contains("insurance:read")' },
  ]) {
    it(`reaches policies: ${name}`, async () => {
      const policies = except(`forbid (principal, action, resource) when { ${condition} };`)
      expect(codeOf(await ask({ policies }, place))).to.equal('policy_denied')
    })
  }
})
