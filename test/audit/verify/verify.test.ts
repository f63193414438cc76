import {
  appendFileSync,
  copyFileSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { parseCheckpoint } from '../../../src/audit/format/checkpoint.ts'
import { formatMetaLine, parseMetaLine } from '../../../src/audit/format/meta-line.ts'
import { formatRecord } from '../../../src/audit/format/record.ts'
import { toRecord } from '../../../src/audit/format/to-record.ts'
import { type Verification, verifyLogs } from '../../../src/audit/verify/verify.ts'
import { isInvalid } from '../../../src/base/model/invalid.ts'
import { deniedParts } from '../../support/decision.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'
import {
  decisionIds,
  publicKeyOf,
  segmentsOf,
  tamper,
  writeKilledLog,
  writeLog,
} from '../../support/written-log.ts'

const small = { maxSegmentBytes: 20_000, sealEvery: 5 }

describe('audit/verify/verify', () => {
  let directory: string
  beforeEach(async () => {
    directory = join(temporaryDirectory(), 'audit')
    await writeLog(directory, decisionIds(30), small)
  })

  it('finds nothing wrong with what was written, over rotations and restarts', async () => {
    await writeLog(directory, decisionIds(7, 'e'), small)
    await writeLog(directory, [])
    const { logs, problems } = await verify()
    expect(problems).to.deep.equal([])
    expect(logs.map(({ verdict, flaws }) => [verdict.records, verdict.unsealed, flaws])).to.deep.equal([
      [30, 0, []],
      [7, 0, []],
      [0, 0, []],
    ])
    expect(segmentsOf(directory).length).to.be.greaterThan(5)
  })

  it('verifies what a living process has written, and counts what is not signed yet', async () => {
    const living = join(temporaryDirectory(), 'audit')
    await writeKilledLog(living, decisionIds(9), { sealEvery: 100 }, '{"version"')
    const { logs } = await verifyLogs([living], trustOf(living))
    const found = logs.map(({ verdict, flaws }) => [
      verdict.unsealed,
      verdict.unsealedRecords,
      verdict.tornBytes,
      flaws,
    ])
    expect(found).to.deep.equal([[9, 9, 10, []]])
  })

  const middle = 1
  const changes: readonly {
    name: string
    change: (lines: string[]) => readonly string[]
    /** Which line of the file, counted from 1, is named. */
    line: number
  }[] = [
    {
      name: 'a record that was edited',
      change: (lines) => lines.with(3, (lines[3] ?? '').replace('clerk', 'chief')),
      line: 4,
    },
    { name: 'a record that was removed', change: (lines) => lines.toSpliced(3, 1), line: 4 },
    { name: 'a record that was added', change: (lines) => lines.toSpliced(3, 0, forged()), line: 4 },
    {
      name: 'records that were reordered',
      change: (lines) => lines.with(3, lines[2] ?? '').with(2, lines[3] ?? ''),
      line: 3,
    },
    { name: 'a record that stands twice', change: (lines) => lines.toSpliced(3, 0, lines[2] ?? ''), line: 4 },
    {
      name: 'a first line that was edited',
      change: (lines) => lines.with(0, (lines[0] ?? '').replace('"size":', '"size": ')),
      line: 1,
    },
    { name: 'a first line that was removed', change: (lines) => lines.slice(1), line: 1 },
  ]
  for (const { name, change, line } of changes) {
    it(`names ${name}`, async () => {
      const file = segmentsOf(directory)[middle] ?? ''
      tamper(file, change)
      const [flaw, ...others] = flawsOf(await verify())
      expect(others).to.deep.equal([])
      expect([flaw?.file, flaw?.line]).to.deep.equal([file, line])
    })
  }

  it('names the range when even the hashes beside the checkpoint were changed', async () => {
    const file = segmentsOf(directory)[middle] ?? ''
    tamper(file, (lines) =>
      lines.map((line) => line.replace('clerk', 'chief').replace(/"leaves":"..../, '"leaves":"AAAA')),
    )
    expect(flawsOf(await verify())).to.have.length(1)
  })

  const files: readonly { name: string; change: (segments: readonly string[]) => void }[] = [
    {
      name: 'segments that were swapped',
      change: ([one = '', two = '']) => {
        renameSync(one, `${one}.tmp`)
        renameSync(two, one)
        renameSync(`${one}.tmp`, two)
      },
    },
    { name: 'a segment that is missing', change: ([, two = '']) => rmSync(two) },
    { name: 'a first segment that is missing', change: ([one = '']) => rmSync(one) },
    {
      name: 'bytes behind the end of a segment',
      change: ([one = '']) => appendFileSync(one, `${forged()}\n`),
    },
    { name: 'a segment cut in the middle', change: ([, two = '']) => truncateSync(two, 5000) },
    {
      name: 'another segment of the same log in its place',
      change: ([one = '', two = '']) => copyFileSync(one, two),
    },
  ]
  for (const { name, change } of files) {
    it(`names ${name}`, async () => {
      change(segmentsOf(directory))
      expect(flawsOf(await verify())).to.have.length(1)
    })
  }

  it('notices a whole log that is missing, and one whose end was cut off, by the log after it', async () => {
    const first = segmentsOf(directory)
    await writeLog(directory, decisionIds(3, 'e'))
    const last = first.at(-1) ?? ''
    const whole = readFileSync(last)
    tamper(last, (lines) => lines.slice(0, -2))
    expect(flawsOf(await verify())).to.have.length(1)
    writeFileSync(last, whole)
    expect(flawsOf(await verify())).to.deep.equal([])
    for (const file of first) rmSync(file)
    expect(flawsOf(await verify())).to.have.length(1)
  })

  it('notices that the end of the last log was cut off only by a checkpoint that was kept elsewhere', async () => {
    const last = segmentsOf(directory).at(-1) ?? ''
    const lines = readFileSync(last, 'utf8').trimEnd().split('\n')
    const meta = parseMetaLine(Buffer.from(lines.at(-1) ?? ''))
    const note = !isInvalid(meta) && meta.kind === 'checkpoint' ? meta.note : ''
    const exported = parseCheckpoint(note)
    if (isInvalid(exported)) throw new Error(exported.reason)
    const trust = { ...trustOf(directory), exported: [exported] }
    expect(flawsOf(await verifyLogs([directory], trust))).to.deep.equal([])
    tamper(last, (kept) => kept.slice(0, 2))
    expect(flawsOf(await verify())).to.deep.equal([])
    expect(flawsOf(await verifyLogs([directory], trust))).to.have.length(1)
    for (const file of segmentsOf(directory)) rmSync(file)
    expect((await verifyLogs([directory], trust)).problems.length).to.be.greaterThan(0)
  })

  it('takes what retention removed for removed, and nothing else', async () => {
    const before = segmentsOf(directory)
    await writeLog(directory, decisionIds(3, 'e'), { retention: { ageMs: undefined, bytes: 45_000 } })
    const kept = segmentsOf(directory).filter((file) => before.includes(file))
    expect(kept.length).to.be.within(1, before.length - 1)
    expect(flawsOf(await verify())).to.deep.equal([])
    rmSync(kept[0] ?? '')
    expect(flawsOf(await verify())).to.have.length(1)
  })

  it('does not believe what nobody has signed: a removal that was only written down', async () => {
    const [first = '', ...others] = segmentsOf(directory)
    rmSync(first)
    const through = { epochMs: Number.MAX_SAFE_INTEGER, sequence: 0 }
    const meta = formatMetaLine({ version: 1, kind: 'retention', time: '', removed: [], through })
    appendFileSync(others.at(-1) ?? '', meta)
    expect(flawsOf(await verify())).to.have.length(1)
  })

  it('is not content with a key that is not the log’s', async () => {
    const other = join(temporaryDirectory(), 'audit')
    await writeLog(other, [])
    expect(flawsOf(await verifyLogs([directory], trustOf(other)))).to.have.length(1)
  })

  it('vouches for nothing that was written before logs had trees', async () => {
    const old = temporaryDirectory()
    writeFileSync(join(old, 'replica-1-000000.ndjson'), `${forged()}\n`)
    expect(flawsOf(await verifyLogs([old], trustOf(directory)))).to.have.length(1)
  })

  it('reports a path that has no log', async () => {
    const { problems } = await verifyLogs([temporaryDirectory(), '/nowhere'], trustOf(directory))
    expect(problems).to.have.length(2)
  })

  function verify(): Promise<Verification> {
    return verifyLogs([directory], trustOf(directory))
  }
})

function trustOf(directory: string) {
  return { keys: [publicKeyOf(directory)], exported: [] }
}

function flawsOf({ logs }: Verification) {
  return logs.flatMap(({ flaws }) => flaws)
}

function forged(): string {
  return formatRecord(toRecord(deniedParts('forged'))).trimEnd()
}
