import { expect } from 'chai'
import { formatRecord } from '../../src/audit/format/record.ts'
import { toRecord } from '../../src/audit/format/to-record.ts'
import { matches, mentionsOf, type RecordFilter } from '../../src/explain/record-filter.ts'
import { clerkChain, deniedParts } from '../support/decision.ts'

const record = toRecord(deniedParts())
const timeMs = Date.parse(record.time)

const cases: readonly { input: RecordFilter; want: boolean }[] = [
  { input: {}, want: true },
  { input: { user: 'clerk' }, want: true },
  { input: { user: 'hospital/clerk' }, want: true },
  { input: { user: 'partner/clerk' }, want: false },
  { input: { user: 'cler' }, want: false },
  { input: { agent: 'agent-d' }, want: true },
  { input: { agent: 'agent-a' }, want: true },
  { input: { agent: 'spiffe://hospital.example/ns/billing/sa/agent-a' }, want: true },
  { input: { agent: 'agent' }, want: false },
  { input: { service: 'patient-records' }, want: true },
  { input: { service: 'insurance' }, want: false },
  { input: { outcome: 'deny', code: 'policy_denied' }, want: true },
  { input: { outcome: 'allow' }, want: false },
  { input: { code: 'chain_expired' }, want: false },
  { input: { policy: 'records-team/patient-records.cedar' }, want: true },
  { input: { policy: 'records-team/patient-records.cedar#clinic' }, want: true },
  { input: { policy: 'records-team' }, want: false },
  { input: { revision: '01234567' }, want: true },
  { input: { revision: '1234567' }, want: false },
  { input: { txn: 'txn-1' }, want: true },
  { input: { txn: 'txn' }, want: false },
  { input: { sinceMs: timeMs, untilMs: timeMs + 1 }, want: true },
  { input: { sinceMs: timeMs + 1 }, want: false },
  { input: { untilMs: timeMs }, want: false },
]

describe('explain/record-filter', () => {
  for (const { input, want } of cases) {
    it(`${want ? 'takes' : 'leaves'} a record for ${JSON.stringify(input)}`, () => {
      expect(matches(record, input)).to.equal(want)
      const line = formatRecord(record)
      // The shortcut that skips unread lines must never skip a matching line.
      if (want) for (const text of mentionsOf(input)) expect(line).to.include(text)
    })
  }

  for (const id of ['we"ird\\user', 'tab\tuser', 'separator\u2028user', 'o\u0301', 'a/b']) {
    it(`finds the user ${JSON.stringify(id)}, however JSON writes them`, () => {
      const chain = { ...clerkChain, subject: { ...clerkChain.subject, id } }
      const odd = toRecord({ ...deniedParts(), chain })
      expect(matches(odd, { user: id })).to.equal(true)
      for (const text of mentionsOf({ user: id })) expect(formatRecord(odd)).to.include(text)
    })
  }
})
