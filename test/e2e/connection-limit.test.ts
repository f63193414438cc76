import { expect } from 'chai'
import { type Hospital, startHospital } from '../../demo/hospital.ts'
import { clerk, type User } from '../../demo/idp.ts'
import { readAudit } from '../../demo/outcome.ts'
import { askAs, toCall, warmUp } from '../../demo/scenario.ts'
import type { CallResult } from '../../demo/services/task.ts'
import type { DecisionRecord } from '../../src/audit/format/record.ts'
import { inTurns } from '../support/in-turns.ts'

const asked = 1000
const atOnce = 10

describe('two users through the same agents', () => {
  let hospital: Hospital

  before(async () => {
    hospital = await startHospital()
    await warmUp(hospital)
  })
  after(() => hospital[Symbol.asyncDispose]())

  it(`never mixes them up in ${asked} interleaved calls`, async () => {
    const users: readonly User[] = [clerk, { id: 'second-clerk', groups: ['billing'] }]
    const journeys = await inTurns(asked, atOnce, async (index) => {
      const user = users[index % users.length] ?? clerk
      const askD = toCall('a-asks-d', { calls: [toCall('d-checks-insurance')] })
      const ask = () => askAs(hospital, user, 'billing-agent', [askD])
      const results = await ask()
      // A busy machine may decide too late once. That is a refusal, never a mix-up.
      return { user, results: results.some(isLate) ? await ask() : results }
    })
    const records = await readAudit(hospital)
    const wrong = journeys.filter(({ user, results }) => !isOnlyOf(user, results, records))
    expect(wrong).to.deep.equal([])
  })
})

function isLate({ code }: CallResult): boolean {
  return code === 'deadline_exceeded'
}

/** All three checks of a journey were allowed, belong to one transaction, and name the user who asked. */
function isOnlyOf(
  user: User,
  results: readonly CallResult[],
  records: ReadonlyMap<string, DecisionRecord>,
): boolean {
  const found = results.flatMap(({ decisionId }) => records.get(decisionId ?? '') ?? [])
  const isAllowed = results.length === 3 && results.every(({ status }) => status === 200)
  const isOneUser = found.every(({ chain }) => chain?.kind !== 'none' && chain?.subject.id === user.id)
  return isAllowed && found.length === 3 && isOneUser && new Set(found.map(({ txn }) => txn)).size === 1
}
