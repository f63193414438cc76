import { expect } from 'chai'
import { leafHash } from '../../../src/audit/format/merkle.ts'
import { toPerCheckFields } from '../../../src/audit/format/per-check-fields.ts'
import { formatRecord } from '../../../src/audit/format/record.ts'
import { formatRepeat, maxRepeatTargets, startRepeat } from '../../../src/audit/format/repeat.ts'
import { toRecord } from '../../../src/audit/format/to-record.ts'
import { readRecords } from '../../../src/audit/read/query.ts'
import { verifyLogs } from '../../../src/audit/verify/verify.ts'
import { deniedParts } from '../../support/decision.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'
import { decisionIds, publicKeyOf, segmentsOf, tamper, writeLines } from '../../support/written-log.ts'

const others = decisionIds(2 * maxRepeatTargets).map((id) => whole(id))

describe('audit/format/lost-repeats', () => {
  let directory: string
  beforeEach(() => {
    directory = temporaryDirectory()
  })

  const cases: readonly {
    readonly name: string
    readonly lines: readonly string[]
    readonly lost: number
  }[] = [
    {
      name: 'repeats of a record before them',
      lines: [whole('a'), repeat('b', 'a'), repeat('c', 'a')],
      lost: 0,
    },
    {
      name: 'a repeat that is as far back as any writer of ours went',
      lines: [whole('a'), ...others.slice(1), repeat('b', 'a')],
      lost: 0,
    },
    { name: 'a repeat that is too far back', lines: [whole('a'), ...others, repeat('b', 'a')], lost: 1 },
    { name: 'repeats of nothing', lines: [repeat('b', 'a'), repeat('c', 'a'), whole('a')], lost: 2 },
    { name: 'a repeat of a repeat', lines: [whole('a'), repeat('b', 'a'), repeat('c', 'b')], lost: 1 },
    { name: 'a repeat of another’s content', lines: [whole('a', 'x'), repeat('b', 'a')], lost: 1 },
    {
      name: 'a repeat of an id that came again',
      lines: [whole('a'), whole('a', 'x'), repeat('b', 'a')],
      lost: 1,
    },
    {
      name: 'a repeat of what is too long',
      lines: [whole('a', 'x'.repeat(5000)), repeat('b', 'a', 'x'.repeat(5000))],
      lost: 1,
    },
  ]
  for (const { name, lines, lost } of cases) {
    it(`finds as much lost as a reader does in ${name}`, async () => {
      writeLines(directory, lines)
      let unread = 0
      for await (const line of readRecords([directory])) if (line.kind === 'bad') unread++
      expect([unread, await lostIn()]).to.deep.equal([lost, lost])
    })
  }

  it('tells of a repeat whose record is in the segment before', async () => {
    writeLines(directory, [whole('a'), ...others.slice(0, 10), repeat('b', 'a')], 5000)
    expect(segmentsOf(directory).length).to.be.greaterThan(1)
    expect(await lostIn()).to.equal(1)
  })

  it('names the first, and says that it is as it was signed', async () => {
    writeLines(directory, [whole('a'), repeat('b', 'a'), repeat('c', 'z'), repeat('d', 'z')])
    const { logs } = await verify()
    const [file] = segmentsOf(directory)
    expect(logs.map(({ flaws }) => flaws.map(({ message: _, ...flaw }) => flaw))).to.deep.equal([
      [{ file, line: 5, index: 4, isSigned: true }],
    ])
  })

  it('says nothing of what follows from a change', async () => {
    writeLines(directory, [whole('a'), repeat('b', 'a'), repeat('c', 'a')])
    tamper(segmentsOf(directory)[0] ?? '', (lines) => lines.toSpliced(1, 1))
    const { logs } = await verify()
    expect(logs.flatMap(({ flaws }) => flaws.map(({ isSigned }) => isSigned))).to.deep.equal([undefined])
  })

  async function lostIn(): Promise<number> {
    const { logs, problems } = await verify()
    expect(problems).to.deep.equal([])
    const [{ verdict, flaws } = expect.fail()] = logs
    expect(flaws).to.have.length(verdict.lost === undefined ? 0 : 1)
    return verdict.lost?.count ?? 0
  }

  function verify() {
    return verifyLogs([directory], { keys: [publicKeyOf(directory)], exported: [] })
  }
})

function whole(decisionId: string, engine = 'cedar'): string {
  return formatRecord(toRecord({ ...deniedParts(decisionId), engine })).trimEnd()
}

function repeat(decisionId: string, of: string, engine?: string): string {
  const leaf = leafHash(Buffer.from(whole(of, engine)))
  return formatRepeat(startRepeat(of, leaf), toPerCheckFields(deniedParts(decisionId))).trimEnd()
}
