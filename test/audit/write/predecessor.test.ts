import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { createTree, leafHash, toBase64 } from '../../../src/audit/format/merkle.ts'
import type { FoundLog } from '../../../src/audit/format/meta-line.ts'
import { findPredecessor, findSignedLog } from '../../../src/audit/write/predecessor.ts'
import { added } from '../../support/added-attacks.ts'
import { copyOf, forgedLine, writeThreeLogs } from '../../support/attacked-logs.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'
import { decisionIds, publicKeyOf, segmentsOf, writeKilledLog, writeLog } from '../../support/written-log.ts'

describe('audit/write/predecessor', () => {
  let directory: string
  beforeEach(async () => {
    directory = join(temporaryDirectory(), 'audit')
    await writeLog(directory, decisionIds(20), { maxSegmentBytes: 10_000, epochMs: 7 })
  })

  it('finds how many lines the last log had and what they hash to', () => {
    const tree = createTree()
    const texts = segmentsOf(directory).map((file) => readFileSync(file, 'utf8'))
    for (const line of texts.join('').trimEnd().split('\n')) tree.add(leafHash(Buffer.from(line)))
    expect(findPredecessor(directory, publicKeyOf(directory))).to.deep.equal({
      epochMs: 7,
      found: {
        log: 'replica-7',
        sequence: segmentsOf(directory).length - 1,
        size: tree.size(),
        root: toBase64(tree.root()),
      },
    })
  })

  it('says that its writer was killed in the middle of a line', async () => {
    await writeKilledLog(directory, ['d-1'], { epochMs: 8 })
    const size = found()?.size
    appendFileSync(segmentsOf(directory).at(-1) ?? '', '{"version":1')
    expect([found()?.log, found()?.size, found()?.torn?.bytes]).to.deep.equal(['replica-8', size, 12])
    // Killed once more, at the first line of its next segment.
    writeFileSync(join(directory, 'replica-8-000001.ndjson'), '{"version"')
    expect(found()?.torn?.bytes).to.equal(12)
    expect(found()?.behind?.map(({ sequence, bytes }) => [sequence, bytes])).to.deep.equal([[1, 10]])
  })

  it('goes back to the last segment that has a line', () => {
    const before = found()
    writeFileSync(join(directory, 'replica-7-000999.ndjson'), '')
    expect(found()).to.deep.equal(before)
  })

  it('says nothing of what was put behind the end of a log that was closed', () => {
    const before = found()
    appendFileSync(segmentsOf(directory).at(-1) ?? '', `${forgedLine('d-0001')}{"version":1`)
    expect(found()).to.deep.equal(before)
  })

  for (const { name, change } of added) {
    it(`follows the last log that our key has signed, though somebody added ${name}`, async () => {
      const three = await writeThreeLogs()
      const [key, before] = [publicKeyOf(three), findPredecessor(three, publicKeyOf(three))]
      const attacked = copyOf(three)
      await change(attacked)
      const after = findPredecessor(attacked, key)
      expect(after).to.deep.equal(before)
    })
  }

  it('takes the last log of any key when its own has signed none, for a key may be new', async () => {
    const other = join(temporaryDirectory(), 'audit')
    await writeLog(other, [])
    expect(findPredecessor(directory, publicKeyOf(other))?.found?.log).to.equal('replica-7')
    expect(findSignedLog(directory, publicKeyOf(other))).to.equal(undefined)
    expect(findSignedLog(directory, publicKeyOf(directory))).to.equal('replica-7')
  })

  it('knows nothing of a log without a tree but when it began', () => {
    const old = join(temporaryDirectory(), 'audit')
    mkdirSync(old)
    expect(findPredecessor(old, publicKeyOf(directory))).to.equal(undefined)
    writeFileSync(join(old, 'replica-9-000000.ndjson'), '{"version":1,"kind":"decision"}\n')
    expect(findPredecessor(old, publicKeyOf(directory))).to.deep.equal({ epochMs: 9, found: undefined })
  })

  function found(): FoundLog | undefined {
    return findPredecessor(directory, publicKeyOf(directory))?.found
  }
})
