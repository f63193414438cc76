import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { readRecords } from '../../../src/audit/read/query.ts'
import type { LogLine } from '../../../src/audit/read/record-reader.ts'
import type { AuditLog } from '../../../src/audit/write/audit-log.ts'
import type { AuditLogOptions } from '../../../src/audit/write/audit-log-options.ts'
import { openAuditLog } from '../../../src/audit/write/open-audit-log.ts'
import type { Event } from '../../../src/base/model/event.ts'
import { deniedParts } from '../../support/decision.ts'
import { failingDisk } from '../../support/failing-disk.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

describe('audit/write/audit-log', () => {
  let directory: string
  let events: Event[]
  beforeEach(() => {
    directory = join(temporaryDirectory(), 'audit')
    events = []
  })

  it('has each record in its file when append returns', async () => {
    await using log = open()
    append(log, 'd-1')
    expect(await ids()).to.deep.equal(['d-1'])
    append(log, 'd-2')
    expect(await ids()).to.deep.equal(['d-1', 'd-2'])
  })

  it('begins a new segment before one grows beyond its maximum', async () => {
    await using log = open({ maxSegmentBytes: 6000 })
    for (let index = 0; index < 7; index++) append(log, `d-${index}`)
    const files = segments()
    expect(files).to.deep.equal([0, 1, 2, 3].map((sequence) => `replica-1-00000${sequence}.ndjson`))
    for (const file of files) expect(readFileSync(join(directory, file)).length).to.be.lessThan(8000)
    expect(await ids()).to.deep.equal([0, 1, 2, 3, 4, 5, 6].map((index) => `d-${index}`))
  })

  it('writes a record that is larger than a segment', async () => {
    await using log = open({ maxSegmentBytes: 10 })
    append(log, 'd-1')
    append(log, 'd-2')
    expect(await ids()).to.deep.equal(['d-1', 'd-2'])
  })

  it('completes a line that the kernel takes in pieces', async () => {
    await using log = open({
      write: (fd, bytes, offset, length) => writeSync(fd, bytes, offset, Math.min(7, length)),
    })
    append(log, 'd-1')
    append(log, 'd-2')
    expect(await ids()).to.deep.equal(['d-1', 'd-2'])
  })

  for (const code of ['ENOSPC', 'EDQUOT', 'EIO', 'EROFS', 'EBADF']) {
    it(`refuses while a write fails with ${code}, and recovers by itself`, async () => {
      const disk = failingDisk()
      await using log = open({ write: disk.write })
      append(log, 'd-1')
      disk.fail(code, 100)
      expect(() => append(log, 'd-2'))
        .to.throw()
        .with.property('code', 'audit_unavailable')
      expect(() => append(log, 'd-3'))
        .to.throw()
        .with.property('code', 'audit_unavailable')
      disk.repair()
      append(log, 'd-4')
      expect(await ids()).to.deep.equal(['d-1', 'd-4'])
      expect(segments().length).to.be.at.most(2)
    })
  }

  it('leaves nothing of a line that could not be written whole', async () => {
    const disk = failingDisk()
    await using log = open({ write: disk.write })
    append(log, 'd-1')
    disk.fail('ENOSPC', 100)
    expect(() => append(log, 'd-2')).to.throw()
    disk.repair()
    append(log, 'd-3')
    expect((await lines()).map(({ kind }) => kind)).to.deep.equal(['meta', 'record', 'meta', 'record'])
    expect(await ids()).to.deep.equal(['d-1', 'd-3'])
  })

  it('litters a failing disk with no empty segments', async () => {
    const disk = failingDisk()
    await using log = open({ write: disk.write })
    disk.fail('EIO', 0)
    for (let index = 0; index < 50; index++) expect(() => append(log, `d-${index}`)).to.throw()
    expect(segments().length).to.be.at.most(2)
  })

  it('finds out without a request that it can write again', async () => {
    const disk = failingDisk()
    await using log = open({ write: disk.write })
    expect(log.isAvailable()).to.equal(true)
    disk.fail('ENOSPC', 100)
    expect(() => append(log, 'd-1')).to.throw()
    expect(log.isAvailable()).to.equal(false)
    disk.repair()
    expect(log.isAvailable()).to.equal(true)
    append(log, 'd-2')
    expect(await ids()).to.deep.equal(['d-2'])
    expect((await lines()).every(({ kind }) => kind === 'record' || kind === 'meta')).to.equal(true)
  })

  it('is not available while a disk has room for less than the record that failed', async () => {
    const disk = failingDisk()
    await using log = open({ write: disk.write })
    disk.fail('ENOSPC', 100)
    expect(() => append(log, 'd-1')).to.throw()
    disk.fail('ENOSPC', 500)
    expect(log.isAvailable()).to.equal(false)
  })

  it('reports the beginning of an outage once', async () => {
    const disk = failingDisk()
    await using log = open({ write: disk.write })
    disk.fail('ENOSPC', 0)
    for (let index = 0; index < 5; index++) expect(() => append(log, `d-${index}`)).to.throw()
    expect(events.map((event) => event.kind === 'fault' && event.where)).to.deep.equal(['audit'])
    disk.repair()
    append(log, 'd-5')
    expect(log.isAvailable()).to.equal(true)
    disk.fail('ENOSPC', 0)
    expect(() => append(log, 'd-6')).to.throw()
    expect(events).to.have.length(2)
  })

  it('makes its directory again when somebody removed it', async () => {
    let nowMs = 0
    await using log = open({ nowMs: () => nowMs })
    append(log, 'd-1')
    rmSync(directory, { recursive: true })
    nowMs += 100
    append(log, 'd-2')
    expect(await ids()).to.deep.equal(['d-2'])
  })

  it('does not go on writing to a segment that was deleted', async () => {
    let nowMs = 0
    await using log = open({ nowMs: () => nowMs })
    append(log, 'd-1')
    unlinkSync(join(directory, 'replica-1-000000.ndjson'))
    nowMs += 100
    append(log, 'd-2')
    expect(await ids()).to.deep.equal(['d-2'])
  })

  it('refuses while its directory is a file', async () => {
    await using log = open({ maxSegmentBytes: 10 })
    append(log, 'd-1')
    renameSync(directory, `${directory}-moved`)
    writeFileSync(directory, '')
    expect(() => append(log, 'd-2'))
      .to.throw()
      .with.property('code', 'audit_unavailable')
    expect(log.isAvailable()).to.equal(false)
    unlinkSync(directory)
    append(log, 'd-3')
    expect(await ids()).to.deep.equal(['d-3'])
  })

  it('never writes to a file or through a link that was there before', async () => {
    mkdirSync(directory)
    const [file, link] = ['replica-1-000000.ndjson', 'replica-1-000001.ndjson'].map((name) =>
      join(directory, name),
    )
    const elsewhere = `${directory}-elsewhere`
    writeFileSync(file ?? '', '')
    writeFileSync(elsewhere, '')
    symlinkSync(elsewhere, link ?? '')
    await using log = open()
    append(log, 'd-1')
    expect([readFileSync(file ?? '', 'utf8'), readFileSync(elsewhere, 'utf8')]).to.deep.equal(['', ''])
    expect(readdirSync(directory)).to.include('replica-1-000002.ndjson')
  })

  it('lets no origin lead out of its directory or hide a file', async () => {
    for (const origin of ['../../x', '..', '.hidden', 'a/b']) await open({ origin })[Symbol.asyncDispose]()
    const names = segments().map((name) => name.replace('-1-000000.ndjson', ''))
    expect(names.sort()).to.deep.equal(['_', '__.._x', '_hidden', 'a_b'])
  })

  it('refuses once it is closed', async () => {
    const log = open()
    await log[Symbol.asyncDispose]()
    expect(log.isAvailable()).to.equal(false)
    expect(() => append(log, 'd-1'))
      .to.throw()
      .with.property('code', 'audit_unavailable')
  })

  function open(options: Partial<AuditLogOptions> = {}): AuditLog {
    const report = (event: Event) => void events.push(event)
    return openAuditLog({
      directory,
      mode: 'written',
      stdout: false,
      origin: 'replica',
      epochMs: 1,
      report,
      ...options,
    })
  }

  function segments(): readonly string[] {
    return readdirSync(directory)
      .filter((name) => name.endsWith('.ndjson'))
      .sort()
  }

  async function lines(): Promise<LogLine[]> {
    const found: LogLine[] = []
    for await (const line of readRecords([directory])) found.push(line)
    return found
  }

  async function ids(): Promise<string[]> {
    return (await lines()).flatMap((line) => (line.kind === 'record' ? [line.record.decisionId] : []))
  }
})

function append(log: AuditLog, decisionId: string): void {
  void log.append(deniedParts(decisionId))
}
