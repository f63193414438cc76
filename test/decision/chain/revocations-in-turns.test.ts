import { expect } from 'chai'
import { parseRevocations } from '../../../src/decision/chain/revocations.ts'
import { parseRevocationsInTurns } from '../../../src/decision/chain/revocations-in-turns.ts'
import { problemsOf } from '../../support/forge.ts'

describe('decision/chain/revocations-in-turns', () => {
  it('says what the whole file says, and lets others work meanwhile', async () => {
    const entries = Array.from({ length: 5000 }, (_, index) => ({
      txn: `transaction ${index}`,
      not_before: index,
    }))
    const text = JSON.stringify({ version: 1, entries })
    let turns = 0
    const count = () => {
      turns++
      next = setImmediate(count)
    }
    let next = setImmediate(count)
    const parsed = await parseRevocationsInTurns(Buffer.from(text))
    clearImmediate(next)
    const plain = parseRevocations(text)
    expect('actor' in parsed && [...parsed.txn]).to.deep.equal('actor' in plain && [...plain.txn])
    expect(turns).to.be.at.least(Math.floor(text.length / (64 * 1024)))
  })

  it('says what is wrong, and no more than anybody reads', async () => {
    const entries = Array.from({ length: 5000 }, () => ({ txn: '' }))
    const parsed = await parseRevocationsInTurns(Buffer.from(JSON.stringify({ version: 1, entries })))
    const problems = problemsOf(parsed)
    expect(problems).to.have.length(50)
    expect(problems).to.have.nested.property('[49].reason', 'and 4951 more')
  })
})
