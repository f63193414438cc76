import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { frameLine } from '../../src/audit/format/framed.ts'
import { formatMetaLine, type SegmentLine } from '../../src/audit/format/meta-line.ts'
import { formatRecord } from '../../src/audit/format/record.ts'
import { toRecord } from '../../src/audit/format/to-record.ts'
import { at, believedIn, complaintsOf, copyOf, forgedLine } from '../support/attacked-logs.ts'
import { deniedParts } from '../support/decision.ts'
import { filesOf, names, opening, replay } from '../support/forged-logs.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { decisionIds, openSealedLog, segmentsOf, writeKilledLog, writeLog } from '../support/written-log.ts'

const [log] = names

/** A planted segment: returns the text of the file with this number. */
const planted: readonly {
  readonly name: string
  readonly toText: (directory: string, sequence: number) => string
}[] = [
  { name: 'words', toText: () => 'words\n' },
  { name: 'a record', toText: () => forgedLine('forged') },
  {
    name: 'signed lines once more',
    toText: (directory, sequence) => replay(directory, log, { ...opening(log), sequence }),
  },
  ...[0, 1, 1000].map((size) => ({
    name: `a record behind ${size} lines that it makes up`,
    toText: (_directory: string, sequence: number) =>
      formatMetaLine(behind(size, sequence)) + forgedLine('forged'),
  })),
]

describe('audit, of a log among whose segments somebody has put one', function () {
  this.timeout(60_000)

  for (const { name, toText } of planted) {
    it(`reads a log whose process was killed as if it were not there, and so does the next process: ${name}`, async () => {
      const directory = join(temporaryDirectory(), 'audit')
      await writeKilledLog(directory, decisionIds(8), at(0))
      const genuine = await believedIn([directory])
      expect(genuine).to.have.length(8)
      const sequence = segmentsOf(directory).length
      writeFileSync(fileOf(directory, sequence), toText(directory, sequence))
      expect(await believedIn([directory])).to.deep.equal(genuine)
      expect(await complaintsOf([directory])).to.not.deep.equal([])
      await writeLog(directory, ['next'], at(1))
      expect(await believedIn([directory])).to.deep.equal([...genuine, 'next deny'])
      expect(await complaintsOf([directory])).to.not.deep.equal([])
      rmSync(fileOf(directory, sequence))
      expect(await complaintsOf([directory])).to.deep.equal([])
    })

    it(`loses nothing of a log that goes on behind it: ${name}`, async () => {
      const directory = join(temporaryDirectory(), 'audit')
      const ids = decisionIds(9)
      {
        using open = openSealedLog(directory, { ...at(0), maxSegmentBytes: 64_000, sealEvery: 4 })
        for (const [index, id] of ids.entries()) {
          if (index === 6) {
            writeFileSync(fileOf(directory, 1), toText(directory, 1))
            open.leaveSegment()
          }
          open.put([frameLine(formatRecord(toRecord(deniedParts(id))))])
        }
      }
      expect(segmentsOf(directory)).to.have.length(3)
      expect(await believedIn([directory])).to.deep.equal(ids.map((id) => `${id} deny`))
      expect(await complaintsOf([directory])).to.not.deep.equal([])
      const copy = copyOf(directory)
      rmSync(fileOf(copy, 1))
      expect(await complaintsOf([copy])).to.deep.equal([])
    })

    it(`loses nothing of a log whose beginning was removed, when it lies there: ${name}`, async () => {
      const directory = join(temporaryDirectory(), 'audit')
      await writeLog(directory, decisionIds(40), at(0))
      const before = copyOf(directory)
      for (const file of filesOf(directory, log).slice(0, 4)) rmSync(file)
      const genuine = await believedIn([directory])
      expect(genuine).to.have.length.within(4, 30)
      writeFileSync(fileOf(directory, 3), toText(before, 3))
      const found = await believedIn([directory])
      expect(found.filter((each) => !genuine.includes(each))).to.deep.equal([])
      expect(found).to.deep.equal(genuine)
      expect(await complaintsOf([directory])).to.not.deep.equal([])
    })
  }
})

function fileOf(directory: string, sequence: number): string {
  return join(directory, `${log}-${String(sequence).padStart(6, '0')}.ndjson`)
}

/** The first line of a segment that claims to stand behind so many lines. */
function behind(size: number, sequence: number): SegmentLine {
  const roots = size.toString(2).replaceAll('0', '').length
  const frontier = Array.from({ length: roots }, () => Buffer.alloc(32, 1).toString('base64'))
  return { ...opening(log), sequence, size, frontier }
}
