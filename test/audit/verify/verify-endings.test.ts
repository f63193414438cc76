import { appendFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { formatRecord } from '../../../src/audit/format/record.ts'
import { toRecord } from '../../../src/audit/format/to-record.ts'
import { verifyLogs } from '../../../src/audit/verify/verify.ts'
import {
  at,
  believedIn,
  complaintsOf,
  copyOf,
  forgedLine,
  writeThreeLogs,
} from '../../support/attacked-logs.ts'
import { deniedParts } from '../../support/decision.ts'
import { cutLines, filesOf, names } from '../../support/forged-logs.ts'
import { writeRawLog } from '../../support/raw-log.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'
import { decisionIds, segmentsOf, tamper, writeKilledLog, writeLog } from '../../support/written-log.ts'

describe('audit/verify/verify, of how logs end', function () {
  this.timeout(60_000)
  let home: string
  let one: string
  let other: string
  beforeEach(() => {
    home = temporaryDirectory()
    one = join(home, 'replica-0')
    other = join(home, 'replica-1')
  })
  /** Two replicas have one key, as when `audit.key` names it. */
  const shared = () => ({ key: join(one, 'log-key') })

  it('is content with processes that still run, each as long as the others', async () => {
    await writeKilledLog(one, decisionIds(7), { ...at(0), origin: 'one' }, '{"ver')
    await writeKilledLog(other, decisionIds(7), { ...at(0.05), origin: 'other', ...shared() })
    expect(await complaintsOf([one, other])).to.deep.equal([])
  })

  it('is not content with a log that ended before the others and was not closed', async () => {
    await writeKilledLog(one, decisionIds(7), { ...at(0), origin: 'one' })
    await writeLog(other, decisionIds(7), { ...at(1), origin: 'other', ...shared() })
    const complaints = await complaintsOf([one, other])
    expect(complaints.join()).to.match(
      /one-.* was last signed at 2026-09-21T14:14:20.123Z and was not closed/,
    )
    // As it stood then, all is well; since then it is not.
    expect(await complaintsOf([one, other], one, at(0).epochMs)).to.deep.equal([])
    expect(await complaintsOf([one], one)).to.deep.equal([])
    expect(await complaintsOf([one], one, at(1).epochMs)).to.have.length(1)
    expect(await complaintsOf([other], one, at(9).epochMs)).to.deep.equal([])
  })

  it('notices that the end of a log that was closed was cut off, when others go on', async () => {
    await writeLog(one, decisionIds(7), { ...at(0), origin: 'one' })
    await writeLog(other, decisionIds(7), { ...at(1), origin: 'other', ...shared() })
    expect(await complaintsOf([one, other])).to.deep.equal([])
    for (const lines of [-1, -2, -3]) {
      const copy = copyOf(home)
      cutLines(segmentsOf(join(copy, 'replica-0')).at(-1) ?? '', lines)
      const paths = ['replica-0', 'replica-1'].map((name) => join(copy, name))
      expect((await complaintsOf(paths)).join()).to.match(
        /was not closed, and the newest log here goes on until/,
      )
    }
  })

  it('does not believe in unsigned lines that say to be from long after the last checkpoint', async () => {
    await writeKilledLog(one, decisionIds(1), { ...at(-100) })
    expect((await complaintsOf([one])).join()).to.match(
      /nobody signed the 1 lines behind that, which say to be from/,
    )
  })

  it('wants nothing of a log that came after it was read', async () => {
    await writeKilledLog(one, decisionIds(2), { ...at(0), origin: 'one' })
    await writeKilledLog(other, decisionIds(2), { ...at(1), origin: 'other', ...shared() })
    for (const [hours, count] of [
      [0, 0],
      [1, 1],
    ] as const) {
      const trust = { keys: undefined, exported: [], nowMs: () => at(hours).epochMs }
      const { logs } = await verifyLogs([one, other], trust)
      expect(logs.flatMap(({ flaws }) => flaws)).to.have.length(count)
    }
  })

  it('gives a process that has just begun its log the time to write the first line', async () => {
    await writeLog(one, decisionIds(2), at(0))
    writeFileSync(join(one, `replica-${at(1).epochMs}-000000.ndjson`), '')
    for (const [seconds, count] of [
      [-60, 1],
      [0, 0],
      [10, 0],
      [60, 1],
    ] as const) {
      const nowMs = () => at(1).epochMs + seconds * 1000
      const { logs } = await verifyLogs([one], { keys: undefined, exported: [], nowMs })
      expect(logs.flatMap(({ flaws }) => flaws)).to.have.length(count)
    }
  })

  it('compares what stands behind the last line of a killed log, in each of its segments', async () => {
    await writeKilledLog(one, decisionIds(3, 'a'), at(0))
    await writeLog(one, decisionIds(3, 'b'), at(1))
    expect(await complaintsOf([one])).to.deep.equal([])
    const last = filesOf(one, names[0]).at(-1) ?? ''
    for (const file of [last, last.replace('000000.nd', '000001.nd')]) {
      const copy = copyOf(one)
      appendFileSync(file.replace(one, copy), forgedLine('a-0001').trimEnd())
      expect((await complaintsOf([copy])).join()).to.match(
        /bytes behind its last line .*, and the log after it found none/,
      )
    }
  })

  it('takes logs of versions that closed none, as far as a later one vouches for them', async () => {
    const record = (id: string) => formatRecord(toRecord(deniedParts(id)))
    const first = writeRawLog(one, { log: 'replica-1', lines: [record('a')], isSigned: true })
    const second = writeRawLog(one, {
      log: 'replica-2',
      lines: [record('b')],
      isSigned: false,
      follows: first,
    })
    const third = { log: 'replica-3', lines: [record('c')], isSigned: true, follows: second }
    // They said nothing of later segments without a line.
    writeFileSync(join(one, 'replica-2-000001.ndjson'), '{"version":1')
    writeRawLog(one, third)
    expect(await complaintsOf([one])).to.deep.equal([])
    expect(await believedIn([one])).to.deep.equal(['a deny', 'b deny', 'c deny'])
    const attacks: readonly ((directory: string) => void)[] = [
      (directory) => rmSync(join(directory, 'replica-1-000000.ndjson')),
      (directory) => rmSync(join(directory, 'replica-2-000000.ndjson')),
      (directory) => appendFileSync(join(directory, 'replica-2-000000.ndjson'), forgedLine('b')),
      (directory) => appendFileSync(join(directory, 'replica-2-000000.ndjson'), forgedLine('b').trimEnd()),
      (directory) =>
        tamper(join(directory, 'replica-2-000000.ndjson'), (all) => all.with(1, forgedLine('b').trimEnd())),
      (directory) => cutLines(join(directory, 'replica-1-000000.ndjson'), -1),
    ]
    for (const attack of attacks) {
      const copy = copyOf(one)
      attack(copy)
      expect(await complaintsOf([copy]), String(attack)).to.have.length(1)
      for (const believed of await believedIn([copy])) expect(believed).to.match(/^[abc] deny$/)
    }
    const { logs } = await verifyLogs([one], { keys: undefined, exported: [] })
    expect(logs.at(-1)?.notes.join()).to.match(/^it is of a version that did not sign when it closed a log/)
  })

  it('says what is worth knowing and no flaw', async () => {
    const directory = await writeThreeLogs()
    await writeKilledLog(directory, ['d-1'], at(3), '{"')
    const { logs } = await verifyLogs([directory], { keys: undefined, exported: [] })
    expect(logs.map(({ notes }) => notes.map((note) => note.split(':')[0]))).to.deep.equal([
      [],
      ['its process was killed'],
      [],
      [
        'its last record is not signed yet',
        '2 bytes of an unfinished line are after its last line',
        'it was not closed',
      ],
    ])
  })
})
