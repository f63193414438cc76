import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { formatRecord } from '../../../src/audit/format/record.ts'
import { maxRepeatTargets } from '../../../src/audit/format/repeat.ts'
import { toRecord } from '../../../src/audit/format/to-record.ts'
import { readRecords } from '../../../src/audit/read/query.ts'
import type { AuditMode } from '../../../src/audit/write/audit-log-options.ts'
import { openAuditLog } from '../../../src/audit/write/open-audit-log.ts'
import { deny } from '../../../src/base/model/decision.ts'
import type { RecordParts } from '../../../src/base/model/record-parts.ts'
import { deniedParts } from '../../support/decision.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'
import { flawsIn, segmentsOf } from '../../support/written-log.ts'

type Batches = readonly (readonly RecordParts[])[]
type Logged = { readonly mode: AuditMode; readonly maxSegmentBytes: number; readonly batches: Batches }

const maxSegmentBytes = 64_000_000

describe('audit/write/audit-log, how far back a repeat refers', () => {
  it('counts what stands whole before it in the same write', async () => {
    const batches = [...inBatches(upTo(maxRepeatTargets)), [0, maxRepeatTargets, 0]].map(toParts)
    expect(await farthestOf({ mode: 'written', maxSegmentBytes, batches })).to.equal(maxRepeatTargets)
  })

  it('counts what waits before it in the buffer', async () => {
    const alternating = upTo(80).flatMap((index) => [0, maxRepeatTargets + index])
    const batches = [upTo(maxRepeatTargets - 40), alternating].map(toParts)
    expect(await farthestOf({ mode: 'buffered', maxSegmentBytes, batches })).to.equal(maxRepeatTargets)
  })

  it('never is further than readers are told to hold, whatever is written together', async () => {
    await fc.assert(
      fc.asyncProperty(logged, async (given) => {
        expect(await farthestOf(given)).to.be.at.most(maxRepeatTargets)
      }),
      { numRuns: 12 },
    )
  })
})

/** Few are enough when they are those that can just be referred to, and those that just cannot. */
const asked = fc.oneof(fc.constant(undefined), fc.nat(100))
const batch = fc.array(asked, { minLength: 1, maxLength: 64 })
const logged = fc
  .record({
    mode: fc.constantFrom<AuditMode>('written', 'buffered'),
    filled: fc.integer({ min: maxRepeatTargets - 64, max: maxRepeatTargets }),
    maxSegmentBytes: fc.constantFrom(8_000_000, maxSegmentBytes),
    batches: fc.array(batch, { minLength: 2, maxLength: 5 }),
  })
  .map(({ filled, batches, ...same }): Logged => {
    let next = filled
    const numbered = batches.map((each) => each.map((known) => known ?? next++))
    return { ...same, batches: [...inBatches(upTo(filled)), ...numbered].map(toParts) }
  })

/** Judgements, each told from the others by its reason. */
const judgements = upTo(maxRepeatTargets + 400).map((index) => {
  const { results } = deniedParts().decision
  return deny('policy_denied', `judgement ${index}`, results.slice(index % 2))
})

let decisions = 0

/** A check for each, decided by the judgement of that number. */
function toParts(numbers: readonly number[]): readonly RecordParts[] {
  return numbers.map((number) => {
    const decision = judgements[number]
    if (decision === undefined) throw new RangeError(`no judgement ${number}`)
    return { ...deniedParts(`d-${decisions++}`), decision, questionKey: String(number) }
  })
}

/** Writes a log, expects that each record reads as it was written, and tells how far back the farthest repeat refers. */
async function farthestOf(given: Logged): Promise<number> {
  const directory = join(temporaryDirectory(), 'audit')
  await write(directory, given)
  const found: string[] = []
  for await (const line of readRecords([directory])) {
    if (line.kind === 'record') found.push(formatRecord(line.record))
    else if (line.kind !== 'meta') found.push(line.kind)
  }
  const written = given.batches.flat().map((parts) => formatRecord(toRecord(parts)))
  const different = written.findIndex((text, at) => found[at] !== text)
  expect([found.length, different, found[different]]).to.deep.equal([written.length, -1, undefined])
  expect(await flawsIn(directory)).to.deep.equal([])
  return farthestIn(directory)
}

async function write(directory: string, { batches, ...given }: Logged): Promise<void> {
  await using log = openAuditLog({ directory, stdout: false, origin: 'replica', report: () => {}, ...given })
  for (const each of batches) {
    if (given.mode === 'written') expect(log.tryAppendAll(each)).to.equal(true)
    else for (const parts of each) void log.append(parts)
  }
}

/** In whole records; 1 is the last before it. */
function farthestIn(directory: string): number {
  let far = 0
  for (const segment of segmentsOf(directory)) {
    const wholes = new Map<string, number>()
    for (const line of readFileSync(segment, 'utf8').trimEnd().split('\n')) {
      const { kind, decisionId, of } = JSON.parse(line)
      if (kind === 'decision') wholes.set(decisionId, wholes.size)
      if (kind === 'repeat') far = Math.max(far, wholes.size - (wholes.get(of) ?? Number.NEGATIVE_INFINITY))
    }
  }
  return far
}

function inBatches(numbers: readonly number[]): readonly (readonly number[])[] {
  const [first, rest] = [numbers.slice(0, 64), numbers.slice(64)]
  return rest.length === 0 ? [first] : [first, ...inBatches(rest)]
}

function upTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index)
}
