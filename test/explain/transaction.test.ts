import { expect } from 'chai'
import type { DecisionRecord } from '../../src/audit/format/record.ts'
import { toRecord } from '../../src/audit/format/to-record.ts'
import {
  actorsBefore,
  decidingPolicies,
  type Hop,
  type Transaction,
  toTransaction,
} from '../../src/explain/transaction.ts'
import { deniedParts } from '../support/decision.ts'

/** A hop of the transaction: by which chain it came, and which chain it minted. */
function hop(decisionId: string, time: string, jtiIn: string | undefined, jtiOut?: string): DecisionRecord {
  return { ...toRecord(deniedParts(decisionId)), time: `2027-01-01T00:00:0${time}Z`, jtiIn, jtiOut }
}

function join(records: readonly DecisionRecord[]): Transaction | undefined {
  return toTransaction(
    'txn-1',
    records.map((record) => ({ record, standing: 'signed' })),
  )
}

const entry = hop('entry', '1', undefined, 'j-1')
const middle = hop('middle', '2', 'j-1', 'j-2')
const left = hop('left', '3', 'j-2')
const right = hop('right', '4', 'j-2')

describe('explain/transaction', () => {
  it('joins hops by the chains that they handed on, in whatever order their logs were read', () => {
    const transaction = join([right, left, middle, entry])
    expect(shapeOf(transaction?.hops)).to.deep.equal(['entry', ['middle', ['left', 'right']]])
    expect(transaction).to.deep.include({ decisions: 4, first: entry.time, last: right.time })
    expect(transaction?.subject?.id).to.equal('clerk')
  })

  it('shows a hop whose predecessor is in no log, and says so', () => {
    const transaction = join([entry, right])
    expect(transaction?.hops.map(({ isDetached }) => isDetached)).to.deep.equal([false, true])
    expect(actorsBefore(right)).to.deep.equal(['spiffe://hospital.example/ns/billing/sa/agent-a'])
  })

  it('counts a decision once, as it was recorded last', () => {
    const transaction = join([{ ...entry, outcome: 'allow' }, entry])
    expect(transaction?.hops.map(({ record }) => record.outcome)).to.deep.equal(['deny'])
  })

  it('puts a chain that was handed on twice under the hop that minted it first', () => {
    const again = hop('again', '2', undefined, 'j-1')
    expect(shapeOf(join([again, entry, middle])?.hops)).to.deep.equal(['entry', ['middle'], 'again'])
  })

  it('ends with records that claim each other as predecessors', () => {
    const circle = [hop('a', '1', 'j-2', 'j-1'), hop('b', '2', 'j-1', 'j-2')]
    expect(join(circle)?.decisions).to.equal(2)
  })

  it('is nothing without records', () => expect(join([])).to.equal(undefined))

  it('names the policies that refused, where some did', () => {
    expect(decidingPolicies(entry)).to.deep.equal([
      'records-team/patient-records.cedar:3',
      'records-team/patient-records.cedar:9',
    ])
    const permitted = { ...entry, results: entry.results.filter(({ outcome }) => outcome === 'permit') }
    expect(decidingPolicies(permitted)).to.deep.equal(['records-team/patient-records.cedar:3'])
  })
})

type Shape = readonly (string | Shape)[]

function shapeOf(hops: readonly Hop[] = []): Shape {
  return hops.flatMap(({ record, next }) =>
    next.length === 0 ? [record.decisionId] : [record.decisionId, shapeOf(next)],
  )
}
