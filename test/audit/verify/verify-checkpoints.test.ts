import { cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { type Checkpoint, parseCheckpoint } from '../../../src/audit/format/checkpoint.ts'
import { frameLine } from '../../../src/audit/format/framed.ts'
import { leafHash } from '../../../src/audit/format/merkle.ts'
import { parseMetaLine } from '../../../src/audit/format/meta-line.ts'
import { type Verification, verifyLogs } from '../../../src/audit/verify/verify.ts'
import { isInvalid } from '../../../src/base/model/invalid.ts'
import { at, writeWorkerLogs } from '../../support/attacked-logs.ts'
import { cutLines, filesOf } from '../../support/forged-logs.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'
import { decisionIds, openSealedLog, publicKeyOf, segmentsOf, writeLog } from '../../support/written-log.ts'

const lines = Array.from({ length: 12 }, (_, index) => `{"line":${index}}`)

describe('audit/verify/verify, with checkpoints that were kept elsewhere', () => {
  let directory: string
  beforeEach(() => {
    directory = join(temporaryDirectory(), 'audit')
    mkdirSync(directory)
  })

  it('is content with the log that they are of', async () => {
    write(lines)
    const exported = checkpointsOf(directory)
    expect(exported.length).to.be.greaterThan(3)
    expect(wrongIn(await verify(exported))).to.deep.equal([])
  })

  it('notices a log that was rewritten and signed again, by each of them', async () => {
    write(lines)
    const exported = checkpointsOf(directory)
    // The holder of the key can do that, and only checkpoints show it.
    for (const file of segmentsOf(directory)) rmSync(file)
    write(lines.with(0, '{"line":"other"}'))
    expect(wrongIn(await verify([]))).to.deep.equal([])
    for (const one of exported) {
      const [{ flaws } = expect.fail()] = (await verify([one])).logs
      expect(flaws.map(({ index }) => index)).to.deep.equal([one.size - 1])
      expect(flaws[0]?.message).to.include('the log was rewritten')
    }
  })

  it('notices that it was rewritten though what it signed was removed up to its end', async () => {
    write(lines, 700)
    const [first = expect.fail(), second = expect.fail()] = segmentsOf(directory)
    const meta = parseMetaLine(Buffer.from(readFileSync(second, 'utf8').split('\n', 1)[0] ?? ''))
    const size = !isInvalid(meta) && meta.kind === 'segment' ? meta.size : 0
    const origin = checkpointsOf(directory)[0]?.origin ?? ''
    rmSync(first)
    const [{ flaws } = expect.fail()] = (await verify([{ origin, size, root: leafHash(Buffer.from('x')) }]))
      .logs
    expect(flaws[0]?.message).to.include('the log was rewritten')
  })

  it('does not take a checkpoint of another installation for one of this log', async () => {
    write(lines)
    const origin = checkpointsOf(directory)[0]?.origin.replace('waywarden', 'other') ?? ''
    const complaints = wrongIn(await verify([{ origin, size: 3, root: leafHash(Buffer.from('x')) }]))
    expect(complaints).to.have.length(1)
    expect(complaints.join()).to.match(/^no log `other\/audit\/replica-7`/)
  })

  it('notices an end that was cut off', async () => {
    write(lines)
    const exported = checkpointsOf(directory)
    cutLines(segmentsOf(directory)[0] ?? '', -5)
    expect(wrongIn(await verify([]))).to.deep.equal([])
    const message = (await verify(exported)).logs[0]?.flaws[0]?.message
    expect(message).to.match(/a checkpoint from elsewhere signed \d+ lines, \d+ are left/)
  })

  it('notices a log that is missing while others are left', async () => {
    await writeLog(directory, decisionIds(3, 'a'), { ...at(0), origin: 'gone' })
    const exported = checkpointsOf(directory)
    for (const file of filesOf(directory, 'gone-1790000000000')) rmSync(file)
    await writeLog(directory, decisionIds(3, 'b'), { ...at(1), origin: 'left' })
    expect(wrongIn(await verify([]))).to.deep.equal([])
    expect(wrongIn(await verify(exported)).join()).to.match(/no log `waywarden\/audit\/gone-1790000000000`/)
  })

  it('excuses a log that retention removed, by the word of its own writer alone', async () => {
    await writeLog(directory, decisionIds(3, 'a'), at(0))
    await writeLog(directory, decisionIds(3, 'b'), at(1))
    const exported = checkpointsOf(directory)
    const retention = { ageMs: undefined, bytes: 1 }
    await writeLog(directory, decisionIds(3, 'c'), { ...at(2), retention })
    expect(filesOf(directory, 'replica-1790003600000')).to.deep.equal([])
    expect(wrongIn(await verify(exported))).to.deep.equal([])
    // Logs of another machine, whose retention went further.
    const other = join(temporaryDirectory(), 'other')
    cpSync(directory, other, { recursive: true })
    for (const file of segmentsOf(other)) rmSync(file)
    await writeLog(other, decisionIds(3, 'd'), { ...at(3), origin: 'other' })
    await writeLog(other, decisionIds(3, 'e'), { ...at(4), origin: 'other', retention })
    const trust = { keys: [publicKeyOf(other)], exported }
    const { problems } = await verifyLogs([other], trust)
    expect(problems.join()).to.match(/no log `waywarden\/audit\/replica-1790000000000`/)
  })

  it('does not excuse the log of one worker by what retention removed of another', async () => {
    const set = await writeWorkerLogs()
    const folder = (worker: number) => join(set, `worker-${worker}`)
    const exported = checkpointsOf(folder(2))
    await writeLog(folder(1), decisionIds(3), {
      ...at(3),
      ...{ key: join(set, 'log-key'), worker: 1, origin: 'replica-1' },
      retention: { ageMs: undefined, bytes: 1 },
    })
    rmSync(folder(2), { recursive: true })
    const { problems } = await verifyLogs([set], { keys: [publicKeyOf(set)], exported })
    for (const epoch of ['1790003600000', '1790007200000'])
      expect(problems.join()).to.include(`no log \`waywarden/audit/replica-2-${epoch}\``)
  })

  it('notices two that cannot both be true', async () => {
    write(lines)
    const exported = checkpointsOf(directory)
    const [one = expect.fail()] = exported
    const forked = { ...one, size: 99, root: leafHash(Buffer.from('x')) }
    const other = { ...forked, root: leafHash(Buffer.from('y')) }
    expect((await verify([forked, other])).problems.join()).to.match(/sign 99 lines of `.*`, and differ/)
    expect((await verify([...exported, ...exported])).problems).to.deep.equal([])
  })

  function write(texts: readonly string[], maxSegmentBytes = 64_000): void {
    using log = openSealedLog(directory, { sealEvery: 3, maxSegmentBytes, nowMs: () => 0 })
    for (const text of texts) log.put([frameLine(`${text}\n`)])
  }

  function verify(exported: readonly Checkpoint[]): Promise<Verification> {
    return verifyLogs([directory], { keys: [publicKeyOf(directory)], exported })
  }
})

function wrongIn({ logs, problems }: Verification): readonly string[] {
  return [...problems, ...logs.flatMap(({ flaws }) => flaws.map(({ message }) => message))]
}

function checkpointsOf(directory: string): readonly Checkpoint[] {
  const texts = segmentsOf(directory).flatMap((file) => readFileSync(file, 'utf8').trimEnd().split('\n'))
  return texts.flatMap((text) => {
    const meta = parseMetaLine(Buffer.from(text))
    const note = !isInvalid(meta) && meta.kind === 'checkpoint' ? parseCheckpoint(meta.note) : undefined
    return note === undefined || isInvalid(note) ? [] : [note]
  })
}
