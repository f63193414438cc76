import { expect } from 'chai'
import type { CheckInput } from '../../../src/base/model/check-input.ts'
import { type Deny, deny } from '../../../src/base/model/decision.ts'
import type { CheckShell, OnAnswered } from '../../../src/decision/check/check.ts'
import { buildChecker, input, refusing, revision } from '../../support/built-checker.ts'

type Case = {
  readonly name: string
  readonly asked?: CheckInput | Deny
  readonly overlay?: NonNullable<Parameters<typeof buildChecker>[0]>
  /** The records, in this order. */
  readonly want: readonly string[]
}

const cases: readonly Case[] = [
  { name: 'what is allowed', want: ['allow'] },
  { name: 'what cannot be decoded', asked: deny('request_malformed', ''), want: ['request_malformed'] },
  {
    name: 'what policies refuse',
    overlay: { revision: () => refusing },
    want: ['policy_denied'],
  },
  { name: 'what is shed', overlay: { maxInFlight: 0 }, want: ['overloaded'] },
  { name: 'what is late', overlay: { elapsedMs: () => 3000 }, want: ['deadline_exceeded'] },
  {
    name: 'an allow that cannot be recorded',
    overlay: { record: () => false },
    want: ['allow', 'audit_unavailable'],
  },
  {
    name: 'a denial that cannot be recorded',
    overlay: { record: () => false, revision: () => refusing },
    want: ['policy_denied'],
  },
  {
    name: 'a denial whose record has to be waited for and fails',
    overlay: { record: async () => false, revision: () => refusing },
    want: ['policy_denied'],
  },
]

describe('the records of a check', () => {
  for (const { name, asked = input, overlay = {}, want } of cases) {
    it(`are ${want.join(' and then ')} for ${name}, and one answer is told`, async () => {
      const recorded: string[] = []
      const { record = () => true } = overlay
      const noting: CheckShell['record'] = (parts, by) => {
        const { decision } = parts
        recorded.push(decision.kind === 'deny' ? decision.code : 'allow')
        return record(parts, by)
      }
      const { check, events } = buildChecker({ ...overlay, record: noting })
      const answer = await check(asked, 2000)
      expect(recorded).to.deep.equal(want)
      expect(answer.kind === 'deny' ? answer.code : 'allow').to.equal(want.at(-1))
      expect(events.map(({ kind }) => kind)).to.deep.equal(['checked'])
      expect(events[0]).to.include({ decisionId: answer.decisionId, outcome: answer.kind })
    })

    it(`go with what judges again, which hears of ${name}`, async () => {
      const told: Parameters<OnAnswered>[] = []
      const { check } = buildChecker({ ...overlay, onAnswered: (...all) => void told.push(all) })
      const answer = await check(asked, 2000)
      expect(told.map(([given, by, { decision }, id]) => [given, by, decision.kind, id])).to.deep.equal([
        [
          asked,
          overlay.revision?.() ?? revision,
          answer.kind === 'deny' ? 'deny' : 'permission',
          answer.decisionId,
        ],
      ])
    })
  }

  it('are written for what never came to a decision', () => {
    const { refuse, records } = buildChecker()
    const answer = refuse(deny('internal_error', 'a bug'))
    expect(records.map(({ decision, decisionId }) => [decision, decisionId])).to.deep.equal([
      [deny('internal_error', 'a bug'), answer.decisionId],
    ])
  })

  it('of what never came to a decision may fail, and the fault is told', async () => {
    const bug = new RangeError('bug')
    const { refuse, events } = buildChecker({ record: () => Promise.reject(bug) })
    expect(refuse(deny('internal_error', ''))).to.include({ kind: 'deny' })
    await new Promise(setImmediate)
    expect(events).to.deep.include({ kind: 'fault', where: 'check/record', cause: bug })
  })
})
