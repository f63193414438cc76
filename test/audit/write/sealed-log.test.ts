import { readFileSync, writeSync } from 'node:fs'
import { expect } from 'chai'
import { parseCheckpoint } from '../../../src/audit/format/checkpoint.ts'
import { frameLine } from '../../../src/audit/format/framed.ts'
import { createTree, leafHash, toBase64 } from '../../../src/audit/format/merkle.ts'
import { type CheckpointLine, metaKindOf, parseMetaLine } from '../../../src/audit/format/meta-line.ts'
import {
  type SealedLog,
  type SealedLogOptions,
  sealsEverySeconds,
} from '../../../src/audit/write/sealed-log.ts'
import { isInvalid } from '../../../src/base/model/invalid.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'
import { openSealedLog, segmentsOf } from '../../support/written-log.ts'

const line = frameLine(`${'x'.repeat(99)}\n`)

describe('audit/write/sealed-log', () => {
  let directory: string
  let notes: string[]
  beforeEach(() => {
    directory = temporaryDirectory()
    notes = []
  })

  it('signs a checkpoint after so many lines, when a segment ends, and at its own end', () => {
    const log = open({ sealEvery: 4, maxSegmentBytes: 3000 })
    for (let index = 0; index < 20; index++) log.put([line])
    log[Symbol.dispose]()
    const tree = createTree()
    let checkpoints = 0
    for (const each of lines()) {
      const meta = metaKindOf(each) === 'checkpoint' ? parseMetaLine(each) : undefined
      const note =
        meta && !isInvalid(meta) && meta.kind === 'checkpoint' ? parseCheckpoint(meta.note) : undefined
      if (note !== undefined) {
        expect(note).to.deep.equal({
          origin: 'waywarden/audit/replica-7',
          size: tree.size(),
          root: tree.root(),
        })
        checkpoints++
      }
      tree.add(leafHash(each))
    }
    expect(checkpoints).to.equal(notes.length)
    for (const file of segmentsOf(directory)) expect(kindsOf(file).at(-1)).to.equal('checkpoint')
    expect(segmentsOf(directory).length).to.be.greaterThan(1)
  })

  it('says at the beginning of each segment what stands before it', () => {
    const log = open({ sealEvery: 100, maxSegmentBytes: 1500 })
    for (let index = 0; index < 20; index++) log.put([line])
    log[Symbol.dispose]()
    const tree = createTree()
    for (const each of lines()) {
      const meta = parseMetaLine(each)
      if (!isInvalid(meta) && meta.kind === 'segment') {
        expect(meta.size).to.equal(tree.size())
        expect(meta.frontier).to.deep.equal(tree.frontier().map(toBase64))
      }
      tree.add(leafHash(each))
    }
  })

  it('signs nothing twice, and nothing that is not in the file', () => {
    let isFailing = false
    const log = open({
      write: (fd, bytes, offset, length) => {
        if (isFailing) throw Object.assign(new Error('the disk failed'), { code: 'EIO' })
        return writeSync(fd, bytes, offset, length)
      },
    })
    log.put([line])
    // A segment is signed when it begins.
    expect([log.trySeal(), log.trySeal(), notes.length]).to.deep.equal([true, true, 1])
    log.put([line])
    isFailing = true
    expect([log.trySeal(), notes.length]).to.deep.equal([false, 1])
    expect(() => log.put([line])).to.throw()
    isFailing = false
    log.leaveSegment()
    log.put([line])
    log[Symbol.dispose]()
    expect(sizes()).to.deep.equal([2, 6, 7, 8])
    expect(lines().filter((each) => each.includes('x'.repeat(99)))).to.have.length(3)
  })

  it('signs now and then though nothing was written, whatever the clock does', () => {
    let nowMs = 0
    const log = open({ nowMs: () => nowMs })
    log.put([line])
    for (const later of [
      sealsEverySeconds * 1000 - 1,
      sealsEverySeconds * 1000,
      2 * sealsEverySeconds * 1000,
    ]) {
      nowMs = later
      log.trySeal()
    }
    expect(sizes()).to.deep.equal([2, 3, 4])
    nowMs = -1_000_000
    log.trySeal()
    expect(sizes()).to.have.length(4)
  })

  it('signs that it was closed, once, and takes nothing more', () => {
    const log = open({})
    log.put([line])
    log.end()
    log[Symbol.dispose]()
    const ends = lines().map((each) => toCheckpoint(each)?.end)
    expect(ends).to.deep.equal([undefined, undefined, undefined, true, undefined])
    expect(() => log.put([line])).to.throw()
  })

  it('says which worker writes it, and names the logs of others: in each segment, and when they change', () => {
    const log = open({ worker: 2, beside: ['worker-1/a-1'], maxSegmentBytes: 1500 })
    for (let index = 0; index < 10; index++) log.put([line])
    log.nameBeside(['worker-1/a-1'])
    log.nameBeside(['worker-1/a-2', 'worker-3/b-1'])
    log[Symbol.dispose]()
    const named = segmentsOf(directory).map((file) =>
      linesOf(file).flatMap((each) => toCheckpoint(each)?.beside ?? []),
    )
    expect(named.length).to.be.greaterThan(1)
    for (const names of named.slice(0, -1)) expect(names).to.deep.equal(['worker-1/a-1'])
    expect(named.at(-1)).to.deep.equal(['worker-1/a-1', 'worker-1/a-2', 'worker-3/b-1'])
    const [first] = lines()
    expect(first && parseMetaLine(first)).to.include({ worker: 2, sealsEverySeconds })
  })

  function open(options: Partial<SealedLogOptions> = {}): SealedLog {
    return openSealedLog(directory, {
      maxSegmentBytes: 1_000_000,
      nowMs: () => 0,
      onSealed: (note) => notes.push(note),
      ...options,
    })
  }

  /** How many lines each checkpoint signed. */
  function sizes(): readonly number[] {
    return notes.map((note) => Number(note.split('\n')[1]))
  }

  function lines(): readonly Buffer[] {
    return segmentsOf(directory).flatMap(linesOf)
  }
})

function toCheckpoint(each: Buffer): CheckpointLine | undefined {
  const meta = parseMetaLine(each)
  return !isInvalid(meta) && meta.kind === 'checkpoint' ? meta : undefined
}

function linesOf(file: string): readonly Buffer[] {
  return readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((text) => Buffer.from(text))
}

function kindsOf(file: string): readonly (string | undefined)[] {
  return linesOf(file).map(metaKindOf)
}
