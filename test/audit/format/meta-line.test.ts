import { expect } from 'chai'
import {
  formatMetaLine,
  type MetaLine,
  metaKindOf,
  parseMetaLine,
} from '../../../src/audit/format/meta-line.ts'
import { formatRecord } from '../../../src/audit/format/record.ts'
import { toRecord } from '../../../src/audit/format/to-record.ts'
import { isInvalid } from '../../../src/base/model/invalid.ts'
import { deniedParts } from '../../support/decision.ts'

const metaLines: readonly MetaLine[] = [
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
  for (const meta of metaLines) {
    it(`recognizes and parses a line of kind ${meta.kind}`, () => {
      const line = Buffer.from(formatMetaLine(meta).trimEnd())
      expect(metaKindOf(line)).to.equal(meta.kind)
      expect(parseMetaLine(line)).to.deep.equal(meta)
    })
  }

  for (const line of [formatRecord(toRecord(deniedParts())), '', '{}', '{"version":1,"kind":"other"}']) {
    it(`recognizes nothing else as a meta line: ${line.slice(0, 30)}`, () => {
      expect(metaKindOf(Buffer.from(line))).to.equal(undefined)
      expect(isInvalid(parseMetaLine(Buffer.from(line)))).to.equal(true)
    })
  }
})
