import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { leafHash } from '../../../src/audit/format/merkle.ts'
import { formatRecord } from '../../../src/audit/format/record.ts'
import { maxRepeatTargets } from '../../../src/audit/format/repeat.ts'
import { toRecord } from '../../../src/audit/format/to-record.ts'
import type { Batch, Segment } from '../../../src/audit/log/segment.ts'
import { readRecords } from '../../../src/audit/read/query.ts'
import { verifyLogs } from '../../../src/audit/verify/verify.ts'
import { createEntry } from '../../../src/audit/write/entry.ts'
import { createRepeatTargets } from '../../../src/audit/write/repeat-targets.ts'
import type { RecordParts } from '../../../src/base/model/record-parts.ts'
import { deniedParts, repeatedParts } from '../../support/decision.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'
import { decisionIds, publicKeyOf, segmentsOf, writeLog } from '../../support/written-log.ts'

describe('audit/write/entry', () => {
  let directory: string
  beforeEach(() => {
    directory = join(temporaryDirectory(), 'audit')
  })

  const ids = decisionIds(200)
  for (const mode of ['written', 'buffered', 'durable'] as const) {
    it(`writes a repeated decision whole once a segment in \`${mode}\`, and it reads as if always`, async () => {
      await writeLog(directory, ids, { mode, maxSegmentBytes: 12_000 }, repeatedParts)
      const segments = segmentsOf(directory)
      expect(segments.length).to.be.greaterThan(2)
      for (const segment of segments) {
        const records = readFileSync(segment, 'utf8').match(/"kind":"(decision|repeat)"/g) ?? []
        const whole = records.filter((kind) => kind.includes('decision')).length
        // A repeat cannot refer to a record that is not written yet.
        expect(whole).to.be.within(Math.min(1, records.length), mode === 'written' ? 1 : records.length)
      }
      expect(await texts()).to.deep.equal(ids.map((id) => formatRecord(toRecord(deniedParts(id))).trimEnd()))
      const { logs, problems } = await verifyLogs([directory], {
        keys: [publicKeyOf(directory)],
        exported: [],
      })
      expect([problems, logs.flatMap(({ flaws }) => flaws)]).to.deep.equal([[], []])
    })
  }

  it('repeats no record that was written before the last so many', async () => {
    const others = decisionIds(maxRepeatTargets, 'other')
    const toParts = (id: string) => (id.startsWith('other') ? deniedParts(id) : repeatedParts(id))
    await writeLog(directory, ['a', ...others.slice(1), 'b', others[0] ?? '', 'c'], {}, toParts)
    const text = segmentsOf(directory)
      .map((file) => readFileSync(file, 'utf8'))
      .join('')
    expect(text).to.match(/"kind":"repeat","of":"a","leaf":"[^"]+","decisionId":"b"/)
    expect(text).to.match(/"kind":"decision","decisionId":"c"/)
  })

  it('names no user where records have pseudonyms', async () => {
    await writeLog(directory, ids.slice(0, 3), { pseudonymize: () => '~hidden' }, repeatedParts)
    for (const text of await texts()) expect(text).to.include('~hidden').and.not.to.include('clerk')
  })

  const odd: readonly { readonly name: string; readonly parts: (id: string) => RecordParts }[] = [
    { name: 'an id that JSON escapes', parts: (id) => repeatedParts(`"${id}`) },
    {
      name: 'a line too long to be referred to',
      parts: (id) => ({ ...repeatedParts(id), engine: 'x'.repeat(4096) }),
    },
    { name: 'no results', parts: (id) => ({ ...deniedParts(id), decision: { kind: 'allow', results: [] } }) },
  ]
  for (const { name, parts } of odd) {
    it(`writes what has ${name} whole`, async () => {
      await writeLog(directory, ['a', 'b'], {}, parts)
      expect(readFileSync(segmentsOf(directory)[0] ?? '', 'utf8')).not.to.include('"kind":"repeat"')
      expect(await texts()).to.have.length(2)
    })
  }

  it('copies single lines that need no other', () => {
    const options = { repeatTargets: createRepeatTargets(), pseudonymize: undefined, isCopied: true }
    const segment: Segment = { path: '', fd: -1, sequence: 0, size: 0, isTorn: false }
    const first = createEntry(repeatedParts('a'), options)
    const line = first.toBytes(segment, alone())
    first.onKept(segment, leafHash(line.subarray(1, -1)))
    const second = createEntry(repeatedParts('b'), options)
    expect(second.toBytes(segment, alone()).toString()).to.include('"kind":"repeat"')
    for (const where of [segment, { ...segment }, undefined]) {
      expect(JSON.parse(second.toCopy(where).toString())).to.deep.equal(
        JSON.parse(formatRecord(toRecord(deniedParts('b')))),
      )
    }
    expect(second.toCopy(segment).toString()).to.match(/\}\n$/)
  })

  it('is whole again in another file than the one that it was made for', () => {
    const options = { repeatTargets: createRepeatTargets(), pseudonymize: undefined, isCopied: true }
    const segment: Segment = { path: '', fd: -1, sequence: 0, size: 0, isTorn: false }
    const first = createEntry(repeatedParts('a'), options)
    first.onKept(segment, leafHash(first.toBytes(segment, alone())))
    const second = createEntry(repeatedParts('b'), options)
    expect(second.toBytes(segment, alone()).length).to.be.lessThan(400)
    expect(second.sizeIn(undefined)).to.equal(formatRecord(toRecord(deniedParts('b'))).length + 1)
    expect(second.toBytes({ ...segment, sequence: 1 }, alone()).toString()).to.include('"kind":"decision"')
  })

  it('is made again, and whole, when what it repeats has come to stand too far back', () => {
    const options = { repeatTargets: createRepeatTargets(), pseudonymize: undefined, isCopied: false }
    const segment: Segment = { path: '', fd: -1, sequence: 0, size: 0, isTorn: false }
    const first = createEntry(repeatedParts('a'), options)
    first.onKept(segment, leafHash(first.toBytes(segment, alone())))
    const second = createEntry(repeatedParts('b'), options)
    const repeat = second.toBytes(segment, alone())
    const batch = { wholes: maxRepeatTargets - 1 }
    expect(second.toBytes(segment, batch)).to.equal(repeat)
    expect(batch.wholes).to.equal(maxRepeatTargets - 1)
    batch.wholes++
    expect(second.toBytes(segment, batch).toString()).to.include('"kind":"decision"')
    expect(batch.wholes).to.equal(maxRepeatTargets + 1)
  })

  async function texts(): Promise<string[]> {
    const found: string[] = []
    for await (const line of readRecords([directory])) {
      if (line.kind === 'record') found.push(JSON.stringify(line.record))
      else if (line.kind !== 'meta') found.push(line.kind)
    }
    return found
  }
})

/** The first entry of a write. */
function alone(): Batch {
  return { wholes: 0 }
}
