import { expect } from 'chai'
import type { DecisionRecord } from '../../src/audit/format/record.ts'
import { createPolicyNeeds, type PolicyDrafts } from '../../src/authoring/draft-policy.ts'
import type { PrincipalResult } from '../../src/base/model/decision.ts'
import { loadRevision } from '../../src/policy/revision/load.ts'
import { readPolicyDirectory } from '../../src/policy/source/directory-source.ts'
import { toPolicyFiles } from '../../src/policy/source/policy-files.ts'
import { clerkChain, recordTarget } from '../support/decision.ts'
import { observed } from '../support/observed.ts'

const agentD = { type: 'Agent', id: 'spiffe://hospital.example/ns/billing/sa/agent-d' }
const agentA = { type: 'Agent', id: 'spiffe://hospital.example/ns/billing/sa/agent-a' }
const clerk = { type: 'User', id: 'hospital/clerk' }
const owners = new Map([['patient-records', 'records-team']])

describe('authoring/draft-policy', () => {
  it('drafts one permit for each principal without one, in its role, for its owner', () => {
    const [drafts] = draftsOf([
      refused([lacks(agentD, 'caller'), lacks(agentA, 'delegator'), lacks(clerk, 'subject')]),
    ])
    expect(drafts).to.include({ service: 'patient-records', owner: 'records-team' })
    const texts = drafts?.policies.map(({ cedar }) => cedar) ?? []
    expect(texts).to.have.length(3)
    for (const [index, part] of [agentD.id, agentA.id, 'principal in Group::"hospital/billing"'].entries()) {
      expect(texts[index]).to.include(part).and.include('resource in Service::"patient-records"')
    }
    expect(texts.every((text) => text.startsWith('// DRAFT'))).to.equal(true)
  })

  it('drafts nothing for a principal that is permitted', () => {
    const permitted = { ...lacks(agentA, 'delegator'), outcome: 'permit' } as const
    const [drafts] = draftsOf([refused([lacks(agentD, 'caller'), permitted])])
    expect(drafts?.policies).to.have.length(1)
  })

  it('drafts one permit for many calls, and counts them', () => {
    const record = refused([lacks(agentD, 'caller')])
    const [drafts] = draftsOf([record, record, record])
    expect(drafts?.policies.map(({ calls }) => calls.count)).to.deep.equal([3])
  })

  it('takes the fewest groups that cover everybody, and the user where there is no group', () => {
    const [drafts] = draftsOf([
      forGroups(['billing', 'staff'], 'one'),
      forGroups(['clinic', 'staff'], 'two'),
      forGroups([], 'three'),
    ])
    const scopes = drafts?.policies.map(({ cedar }) => /^ {2}(principal.*),$/m.exec(cedar)?.[1]).sort()
    expect(scopes).to.deep.equal([
      'principal == User::"hospital/three"',
      'principal in Group::"hospital/staff"',
    ])
  })

  it('drafts nothing against a forbid, and names it', () => {
    const policy = { id: 'records-team/a.cedar#no', file: 'records-team/a.cedar', line: 1 }
    const forbidden = {
      ...lacks(clerk, 'subject'),
      outcome: 'forbid',
      determiningPolicies: [policy],
    } as const
    const needs = createPolicyNeeds()
    needs.add(refused([lacks(agentD, 'caller'), forbidden]))
    expect(needs.drafts(owners)).to.deep.equal([])
    expect(needs.forbidden().map(({ policies }) => policies)).to.deep.equal([[policy.id]])
  })

  it('drafts nothing for a call that the policies were not asked about', () => {
    expect(draftsOf([observed({ code: 'chain_missing' })])).to.deep.equal([])
  })

  it('writes policies that load beside the ones that serve, whatever names a record holds', async () => {
    const evil = '"};\npermit(principal,action,resource); // \u{1f600}\u0000'
    const service = { ...recordTarget, service: { ...recordTarget.service, name: evil } }
    const drafts = draftsOf([
      refused([lacks(agentD, 'caller'), lacks(agentA, 'delegator'), lacks(clerk, 'subject')]),
      refused([lacks({ type: 'User', id: evil }, 'subject')], { chain: { kind: 'none' } }),
      refused([lacks(agentD, 'caller')], { target: service }),
      refused([lacks({ type: 'Autonomous', id: agentD.id }, 'autonomous')], { chain: { kind: 'none' } }),
    ])
    const files = await readPolicyDirectory('policies')
    if (!('files' in files)) throw new TypeError('policies/ cannot be read')
    const count = drafts.flatMap(({ policies }) => policies).length
    const texts = drafts.map(
      ({ policies }, index) =>
        [`records-team/draft-${index}.cedar`, policies.map(({ cedar }) => cedar).join('\n\n')] as const,
    )
    // An autonomous caller has no place in the sample's schema.
    const schema = (files.files.get('schema.cedarschema') ?? '').replaceAll(
      '[Agent, User]',
      '[Agent, User, Autonomous]',
    )
    const more = [...texts, ['schema.cedarschema', schema] as const]
    // Names that can never exist are refused, but for what served: here only the text is judged.
    const loaded = loadRevision(toPolicyFiles(new Map([...files.files, ...more])), { hasServed: true })
    if (!('policies' in loaded)) throw new TypeError(JSON.stringify(loaded))
    expect(loaded.policies.filter(({ file }) => file.startsWith('records-team/draft-'))).to.have.length(count)
  })

  it('turns no edited type name into Cedar', () => {
    const [drafts] = draftsOf([refused([lacks({ type: 'User) ; permit(', id: 'x' }, 'caller')])])
    expect(drafts?.policies[0]?.cedar).to.include('principal == Unreadable::""')
  })
})

function lacks(principal: PrincipalResult['principal'], role: PrincipalResult['role']): PrincipalResult {
  return { principal, role, outcome: 'no-permit', determiningPolicies: [], errors: [] }
}

function refused(
  results: readonly PrincipalResult[],
  parts: Parameters<typeof observed>[0] = {},
): DecisionRecord {
  return observed({ code: 'policy_denied', results, ...parts })
}

function forGroups(groups: readonly string[], id: string): DecisionRecord {
  const chain = { ...clerkChain, subject: { ...clerkChain.subject, id, groups } }
  return refused([lacks({ type: 'User', id: `hospital/${id}` }, 'subject')], { chain })
}

function draftsOf(records: readonly DecisionRecord[]): readonly PolicyDrafts[] {
  const needs = createPolicyNeeds()
  for (const record of records) needs.add(record)
  return needs.drafts(owners)
}
