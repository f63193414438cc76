import { expect } from 'chai'
import { leafHash } from '../../../src/audit/format/merkle.ts'
import { toPerCheckFields } from '../../../src/audit/format/per-check-fields.ts'
import { formatRecord } from '../../../src/audit/format/record.ts'
import { formatRepeat, maxRepeatTargets, startRepeat } from '../../../src/audit/format/repeat.ts'
import { toRecord } from '../../../src/audit/format/to-record.ts'
import { RecordReader, type Wanted } from '../../../src/audit/read/record-reader.ts'
import { frameMetaLine } from '../../../src/audit/write/sealed-log.ts'
import { deniedParts } from '../../support/decision.ts'

const later = deniedParts().timeMs + 1000

describe('audit/read/record-reader', () => {
  it('reads a repeat as the record that it stands for', () => {
    const reader = new RecordReader({})
    const first = reader.read(raw(whole('a')))
    const second = reader.read(raw(repeat('b', 'a')))
    expect(first).to.deep.include({ kind: 'record' })
    const record = second?.kind === 'record' ? second.record : undefined
    expect(JSON.stringify(record)).to.equal(JSON.stringify(toRecord(deniedParts('b'))))
    expect(second?.kind === 'record' && second.of?.toString()).to.equal(whole('a'))
  })

  const unresolved: readonly { readonly name: string; readonly lines: readonly string[] }[] = [
    { name: 'nothing', lines: [repeat('b', 'a')] },
    { name: 'a record behind it', lines: [repeat('b', 'a'), whole('a')] },
    { name: 'a record that was changed', lines: [whole('a').replace('clerk', 'chief'), repeat('b', 'a')] },
    { name: 'another of that id', lines: [whole('a'), whole('a', { engine: 'x' }), repeat('b', 'a')] },
    { name: 'another repeat', lines: [whole('a'), repeat('b', 'a'), repeat('c', 'b')] },
    { name: 'a record of another segment', lines: [whole('a'), segmentLine(), repeat('b', 'a')] },
    {
      name: 'a record that is too long to be referred to',
      lines: [whole('a', { engine: 'x'.repeat(5000) }), repeat('b', 'a', { engine: 'x'.repeat(5000) })],
    },
  ]
  for (const { name, lines } of unresolved) {
    it(`refuses a repeat of ${name}`, () => expect(bad(lines)).to.equal(1))
  }

  it('refuses a repeat of nothing whatever is looked for', () => {
    for (const text of ['clerk', 'nobody']) expect(bad([repeat('b', 'a')], { mentions: [text] })).to.equal(1)
  })

  it('refuses a repeat of a record in another file', () => {
    const reader = new RecordReader({})
    reader.read(raw(whole('a')))
    expect(reader.read({ ...raw(repeat('b', 'a')), file: 'other' })?.kind).to.equal('bad')
  })

  it('holds twice as many records as a repeat may refer back over, and no more', () => {
    const others = Array.from({ length: 2 * maxRepeatTargets - 1 }, (_, index) => whole(`d-${index}`))
    expect(bad([whole('a'), ...others, repeat('b', 'a')])).to.equal(0)
    expect(bad([whole('a'), whole('z'), ...others, repeat('b', 'a')])).to.equal(1)
  })

  const wanted: readonly { readonly name: string; readonly wanted: Wanted; readonly want: string }[] = [
    { name: 'what stands in the record that is repeated', wanted: { mentions: ['clerk'] }, want: 'ab' },
    { name: 'what stands in both', wanted: { mentions: ['clerk', '"decisionId":"b"'] }, want: 'b' },
    { name: 'the id of the whole one alone', wanted: { mentions: ['"decisionId":"a"'] }, want: 'a' },
    { name: 'what stands nowhere', wanted: { mentions: ['clerk', 'nobody'] }, want: '' },
    { name: 'a time from then on', wanted: { sinceMs: later }, want: 'b' },
    { name: 'a time before then', wanted: { untilMs: later }, want: 'a' },
    { name: 'a time that is over', wanted: { sinceMs: later + 1 }, want: '' },
  ]
  for (const { name, wanted: sought, want } of wanted) {
    it(`finds ${name}`, () => expect(ids([whole('a'), repeat('b', 'a', {}, later)], sought)).to.equal(want))
  }

  it('takes a repeat that was cut off for torn', () => {
    const reader = new RecordReader({})
    reader.read(raw(whole('a')))
    for (let length = 40; length < repeat('b', 'a').length; length += 7) {
      const torn = { ...raw(repeat('b', 'a').slice(0, length)), isEnded: false }
      expect(reader.read(torn)?.kind, `${length}`).to.equal('torn')
    }
  })
})

function whole(decisionId: string, other: { readonly engine?: string } = {}): string {
  return formatRecord(toRecord({ ...deniedParts(decisionId), ...other })).trimEnd()
}

function repeat(decisionId: string, of: string, other = {}, timeMs = deniedParts().timeMs): string {
  const leaf = leafHash(Buffer.from(whole(of, other)))
  return formatRepeat(
    startRepeat(of, leaf),
    toPerCheckFields({ ...deniedParts(decisionId), timeMs }),
  ).trimEnd()
}

function segmentLine(): string {
  const [time, log] = ['2026-01-01T00:00:00.000Z', 'replica-1']
  const meta = {
    version: 1,
    kind: 'segment',
    time,
    log,
    origin: 'o',
    sequence: 1,
    size: 0,
    frontier: [],
  } as const
  return frameMetaLine(meta).subarray(1, -1).toString()
}

function raw(text: string) {
  return { file: 'a.ndjson', line: 1, bytes: Buffer.from(text), isEnded: true }
}

function bad(lines: readonly string[], wanted: Wanted = {}): number {
  const reader = new RecordReader(wanted)
  return lines.filter((line) => reader.read(raw(line))?.kind === 'bad').length
}

function ids(lines: readonly string[], wanted: Wanted): string {
  const reader = new RecordReader(wanted)
  return lines
    .map((line) => reader.read(raw(line)))
    .map((line) => (line?.kind === 'record' ? line.record.decisionId : ''))
    .join('')
}
