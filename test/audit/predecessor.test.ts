import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { createTree, leafHash, toBase64 } from '../../src/audit/merkle.ts'
import { findPredecessor } from '../../src/audit/predecessor.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { decisionIds, segmentsOf, writeLog } from '../support/written-log.ts'

describe('audit/predecessor', () => {
  let directory: string
  beforeEach(async () => {
    directory = join(temporaryDirectory(), 'audit')
    await writeLog(directory, decisionIds(20), { maxSegmentBytes: 10_000, epochMs: 7 })
  })

  it('finds how many lines the last log had and what they hash to', () => {
    const tree = createTree()
    const texts = segmentsOf(directory).map((file) => readFileSync(file, 'utf8'))
    for (const line of texts.join('').trimEnd().split('\n')) tree.add(leafHash(Buffer.from(line)))
    expect(findPredecessor(directory)).to.deep.equal({
      epochMs: 7,
      found: {
        log: 'replica-7',
        sequence: segmentsOf(directory).length - 1,
        size: tree.size(),
        root: toBase64(tree.root()),
        torn: undefined,
      },
    })
  })

  it('says that its writer was stopped in the middle of a line', () => {
    const size = findPredecessor(directory)?.found?.size
    appendFileSync(segmentsOf(directory).at(-1) ?? '', '{"version":1')
    const found = findPredecessor(directory)?.found
    expect([found?.size, found?.torn?.bytes]).to.deep.equal([size, 12])
  })

  it('goes back to the last segment that has a line', () => {
    const found = findPredecessor(directory)?.found
    writeFileSync(join(directory, 'replica-7-000999.ndjson'), '')
    expect(findPredecessor(directory)?.found).to.deep.equal(found)
  })

  it('knows nothing of a log without a tree but when it began', () => {
    writeFileSync(join(directory, 'replica-9-000000.ndjson'), '{"version":1,"kind":"decision"}\n')
    expect(findPredecessor(directory)).to.deep.equal({ epochMs: 9, found: undefined })
    expect(findPredecessor(temporaryDirectory())).to.equal(undefined)
  })
})
