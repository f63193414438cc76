import { expect } from 'chai'
import type { DecisionRecord } from '../../src/audit/format/record.ts'
import { toRecord } from '../../src/audit/format/to-record.ts'
import { deny } from '../../src/base/model/decision.ts'
import { isInvalid } from '../../src/base/model/invalid.ts'
import type { RecordParts } from '../../src/base/model/record-parts.ts'
import { judge } from '../../src/decision/check/judge.ts'
import { judgeAgain } from '../../src/explain/why.ts'
import type { Revision } from '../../src/policy/revision/revision.ts'
import { readPolicyDirectory } from '../../src/policy/source/directory-source.ts'
import { clerkChain, deniedParts, hospitalId, recordTarget } from '../support/decision.ts'
import { mustLoad, policyFiles } from '../support/policy-files.ts'

const { caller } = deniedParts()
if (caller === undefined) throw new TypeError('the denied request has a caller')
const agentR = { ...caller, id: hospitalId('/ns/clinic/sa/agent-r') }

describe('explain/why', () => {
  let sample: Revision
  before(async () => {
    const files = await readPolicyDirectory('policies')
    if (!('files' in files)) throw new TypeError('policies/ cannot be read')
    sample = mustLoad(files)
  })

  it('judges a refusal again and finds it the same', () => {
    const again = judgeAgain(record(decided()), sample)
    expect(again).to.deep.include({ kind: 'judged', outcome: 'deny', code: 'policy_denied', differences: [] })
  })

  it('judges a permission again and finds it the same', () => {
    const chain = {
      ...clerkChain,
      subject: { ...clerkChain.subject, id: 'clinician', groups: ['clinicians'] },
      actors: [],
    }
    const decision = judge(agentR, chain, recordTarget, sample)
    expect(decision.kind).to.equal('permission')
    const permitted = { ...decision, kind: 'allow' } as const
    const again = judgeAgain(record({ caller: agentR, chain, decision: permitted }), sample)
    expect(again).to.deep.include({ kind: 'judged', outcome: 'allow', code: undefined, differences: [] })
  })

  const forged: readonly {
    readonly name: string
    readonly change: (record: DecisionRecord) => DecisionRecord
  }[] = [
    { name: 'an outcome', change: ({ code, ...record }) => ({ ...record, outcome: 'allow', results: [] }) },
    { name: 'a code', change: (record) => ({ ...record, code: 'scope_missing' }) },
    {
      name: 'a caller',
      change: (record) => ({ ...record, caller: record.caller && { ...record.caller, id: agentR.id.uri } }),
    },
    {
      name: 'the result of one principal',
      change: (record) => ({
        ...record,
        results: record.results.map((result) => ({ ...result, outcome: 'permit' as const })),
      }),
    },
    {
      name: 'the policies of one principal',
      change: (record) => ({
        ...record,
        results: record.results.map((result) => ({ ...result, policies: [] })),
      }),
    },
  ]
  for (const { name, change } of forged) {
    it(`finds ${name} that was changed in the record`, () => {
      const again = judgeAgain(change(record(decided())), sample)
      expect(isInvalid(again) ? [] : again.differences).not.to.have.length(0)
    })
  }

  it('finds nothing wrong with a refusal by a later step, whose principals were permitted', () => {
    const again = judgeAgain(record({ decision: deny('overloaded', 'too many checks at once') }), sample)
    expect(again).to.deep.include({ kind: 'judged', differences: [] })
  })

  const unjudged: readonly { readonly name: string; readonly parts: Partial<RecordParts> }[] = [
    { name: 'without a caller', parts: { caller: undefined } },
    { name: 'without a chain', parts: { chain: undefined } },
    { name: 'without a target', parts: { target: undefined } },
  ]
  for (const { name, parts } of unjudged) {
    it(`judges nothing ${name}`, () => {
      expect(judgeAgain(record(parts), sample)).to.include({ kind: 'invalid' })
    })
  }

  it('judges nothing at a revision without the service', () => {
    expect(judgeAgain(record(decided()), mustLoad(policyFiles()))).to.include({ kind: 'invalid' })
  })

  function decided(): Partial<RecordParts> {
    const decision = judge(agentD(), clerkChain, recordTarget, sample)
    if (decision.kind !== 'deny') throw new TypeError('the sample policies refuse D')
    return { decision }
  }
})

function agentD(): NonNullable<RecordParts['caller']> {
  return { ...agentR, id: hospitalId('/ns/billing/sa/agent-d') }
}

function record(parts: Partial<RecordParts>): DecisionRecord {
  return toRecord({ ...deniedParts(), ...parts })
}
