import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { leafHash } from '../../src/audit/format/merkle.ts'
import { toPerCheckFields } from '../../src/audit/format/per-check-fields.ts'
import { formatRepeat, startRepeat } from '../../src/audit/format/repeat.ts'
import { at } from '../support/attacked-logs.ts'
import { deniedParts } from '../support/decision.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { run } from '../support/terminal.ts'
import {
  decisionIds,
  segmentsOf,
  tamper,
  writeKilledLog,
  writeLines,
  writeLog,
} from '../support/written-log.ts'

describe('cli/audit-verify', () => {
  let directory: string
  let key: string
  beforeEach(async () => {
    directory = join(temporaryDirectory(), 'audit')
    await writeLog(directory, decisionIds(25), { maxSegmentBytes: 20_000, sealEvery: 5 })
    key = join(temporaryDirectory(), 'log-key.pub')
    copyFileSync(join(directory, 'log-key.pub'), key)
  })

  it('says that all is as it was signed, and what that does not prove', async () => {
    const { code, out, err } = await run(['audit', 'verify', directory])
    expect([code, err]).to.deep.equal([0, ''])
    expect(out).to.include('25 records').and.to.include('--key').and.to.include('--checkpoint')
    expect((await run(['audit', 'verify', directory, '--key', key])).out).not.to.include('--key')
  })

  it('says plainly what is right and what is not known, in numbers that fit their words', async () => {
    const one = join(temporaryDirectory(), 'audit')
    await writeKilledLog(one, ['d-1'], { sealEvery: 100 }, '{"version')
    const { code, out } = await run(['audit', 'verify', one, '--key', join(one, 'log-key.pub')])
    const [log, ...rest] = out.split('\n')
    expect(code).to.equal(0)
    expect(log).to.match(/^replica-\d+: 1 record in lines 0 to 2, signed up to line 0$/)
    expect(rest).to.deep.equal([
      '  its last record is not signed yet: normal while its process runs, because it signs every few seconds; if it has ended, nothing proves it',
      '  9 bytes of an unfinished line are after its last line: normal if its process was killed or is writing; no command reads them',
      '  it was not closed: normal while its process runs, or if it was killed; if lines after its last checkpoint were cut off, only `--checkpoint` can show it',
      'OK so far: 1 record in 1 log, as signed, except 1 that is not signed yet',
      'no exported checkpoint was given, so a truncated last log cannot be detected; use `--checkpoint`',
    ])
    const closed = await run(['audit', 'verify', directory, '--key', key])
    expect(closed.out).to.match(
      /^replica-\d+: 25 records in lines 0 to \d+, signed up to line \d+, closed by its process\nOK: 25 records in 1 log, as signed\n/,
    )
  })

  it('wants logs to go on until a moment, and takes none that is to come', async () => {
    const one = join(temporaryDirectory(), 'audit')
    await writeKilledLog(one, ['d-1'], at(0))
    const asOf = (when: string, nowMs: number) => run(['audit', 'verify', one, '--as-of', when], '', nowMs)
    const laterMs = at(2).epochMs
    expect((await asOf('now', at(0.01).epochMs)).code).to.equal(0)
    const late = await asOf('now', laterMs)
    expect(late.code).to.equal(1)
    const [, option = ''] = /verify with `--as-of (\S+)`/.exec(late.out) ?? []
    expect((await asOf(option, laterMs)).code).to.equal(0)
    expect((await asOf('2h', laterMs)).code).to.equal(0)
    for (const wrong of ['2999-01-01', 'yesterday']) expect((await asOf(wrong, laterMs)).code).to.equal(2)
  })

  it('prints notes and the state of each log for scripts', async () => {
    const { logs } = JSON.parse((await run(['audit', 'verify', directory, '--json'])).out)
    expect(logs[0]).to.include({ isEnded: true, isVouched: false, tornBytes: 0, unsealed: 0, beginsAt: 0 })
    expect(logs[0].notes).to.deep.equal([])
  })

  it('says which key is missing', async () => {
    rmSync(join(directory, 'log-key.pub'))
    const { code, out } = await run(['audit', 'verify', directory])
    expect([code, out.includes('log-key.pub` is missing; name the public key with `--key`')]).to.deep.equal([
      1,
      true,
    ])
  })

  it('names the first bad record', async () => {
    const [, file = ''] = segmentsOf(directory)
    tamper(file, (lines) => lines.with(1, (lines[1] ?? '').replace('clerk', 'chief')))
    const { code, out } = await run(['audit', 'verify', directory, '--key', key])
    expect(code).to.equal(1)
    expect(out).to.match(/-000001\.ndjson:2 \(line \d+ of the log\)/)
    const { sound, logs } = JSON.parse((await run(['audit', 'verify', directory, '--json'])).out)
    expect([sound, logs[0].flaws.length, logs[0].flaws[0].line]).to.deep.equal([false, 1, 2])
  })

  it('says that what cannot be read is as it was signed, and is not content', async () => {
    const [start, parts] = [startRepeat('nowhere', leafHash(Buffer.from('x'))), deniedParts()]
    directory = temporaryDirectory()
    const lines = decisionIds(2).map((decisionId) =>
      formatRepeat(start, toPerCheckFields({ ...parts, decisionId })),
    )
    writeLines(
      directory,
      lines.map((line) => line.trimEnd()),
    )
    const { code, out } = await run(['audit', 'verify', directory])
    expect(code).to.equal(1)
    expect(out).to.match(/000000\.ndjson:2 \(line 1 of the log\) cannot be read: .* 1 after it/)
    expect(out).to.include('as signed, but not all of it can be read').and.not.include('NOT')
    const { sound, logs } = JSON.parse((await run(['audit', 'verify', directory, '--json'])).out)
    expect([sound, logs[0].lost.count, logs[0].flaws.length]).to.deep.equal([false, 2, 1])
  })

  it('finds a cut end by a checkpoint that was printed or exported', async () => {
    const file = segmentsOf(directory).at(-1) ?? ''
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
    const printed = join(temporaryDirectory(), 'stdout.ndjson')
    writeFileSync(printed, `${lines.join('\n')}\n`)
    const note = join(temporaryDirectory(), 'checkpoint')
    writeFileSync(note, JSON.parse(lines.at(-1) ?? '').note)
    tamper(file, (kept) => kept.slice(0, 1))
    expect((await run(['audit', 'verify', directory, '--key', key])).code).to.equal(0)
    for (const checkpoint of [printed, note]) {
      const argv = ['audit', 'verify', directory, '--key', key, '--checkpoint', checkpoint]
      expect((await run(argv)).code).to.equal(1)
    }
  })

  it('gives the key as witnesses take it', async () => {
    const { logs } = JSON.parse((await run(['audit', 'verify', directory, '--json'])).out)
    expect(logs[0].verifierKeys[0]).to.match(/^waywarden\/audit\/replica-\d+\+[0-9a-f]{8}\+A/)
  })

  for (const wrong of [
    ['--key', '/nowhere'],
    ['--checkpoint', '/nowhere'],
    ['--checkpoint', 'package.json'],
  ]) {
    it(`refuses ${wrong.join(' ')}`, async () => {
      expect((await run(['audit', 'verify', directory, ...wrong])).code).to.equal(2)
    })
  }

  it('refuses a directory without a log', async () => {
    expect((await run(['audit', 'verify', temporaryDirectory(), '--key', key])).code).to.equal(1)
  })
})
