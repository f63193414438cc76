import { expect } from 'chai'
import { formatMark, type Mark, markKindOf, parseMark } from '../../../src/audit/format/meta-line.ts'
import { formatRecord } from '../../../src/audit/format/record.ts'
import { toRecord } from '../../../src/audit/format/to-record.ts'
import { isInvalid } from '../../../src/base/model/invalid.ts'
import { deniedParts } from '../../support/decision.ts'

const marks: readonly Mark[] = [
  {
    version: 1,
    kind: 'segment',
    time: '2027-01-01T00:00:00.000Z',
    log: 'replica-1',
    origin: 'waywarden/audit/replica-1',
    sequence: 3,
    size: 2,
    frontier: ['AAAA'],
    after: { sequence: 2, bytes: 4711 },
    follows: { log: 'replica-0', sequence: 9, size: 7, root: 'AAAA', torn: { bytes: 5, sha256: '00' } },
  },
  { version: 1, kind: 'checkpoint', note: 'origin\n1\nAAAA\n\n', leaves: 'AAAA' },
  {
    version: 1,
    kind: 'retention',
    time: '2027-01-01T00:00:00.000Z',
    removed: ['a.ndjson'],
    through: { epochMs: 1, sequence: 0 },
  },
  {
    version: 1,
    kind: 'shadow',
    since: '2027-01-01T00:00:00.000Z',
    until: '2027-01-01T00:01:00.000Z',
    live: 'old',
    shadow: 'new',
    judged: 7,
    dropped: 1,
    differences: [
      {
        service: 'records',
        action: 'read-record',
        caller: 'agent-d',
        before: { decision: 'allow', deniedBy: [], policies: ['a.cedar#all'] },
        after: { decision: 'policy_denied', deniedBy: ['subject'], policies: [] },
        count: 2,
        examples: ['decision-1'],
      },
    ],
    cut: 0,
  },
  { version: 1, kind: 'unrecorded', since: '2027-01-01', until: '2027-01-02', denials: 3 },
]

describe('audit/format/meta-line', () => {
  for (const mark of marks) {
    it(`is known by its first bytes, and comes back: ${mark.kind}`, () => {
      const line = Buffer.from(formatMark(mark).trimEnd())
      expect(markKindOf(line)).to.equal(mark.kind)
      expect(parseMark(line)).to.deep.equal(mark)
    })
  }

  for (const line of [formatRecord(toRecord(deniedParts())), '', '{}', '{"version":1,"kind":"other"}']) {
    it(`takes nothing else for a mark: ${line.slice(0, 30)}`, () => {
      expect(markKindOf(Buffer.from(line))).to.equal(undefined)
      expect(isInvalid(parseMark(Buffer.from(line)))).to.equal(true)
    })
  }
})
