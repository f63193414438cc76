import { writeSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { WriteBytes } from '../../../src/audit/log/segment.ts'
import type { AuditLog } from '../../../src/audit/write/audit-log.ts'
import { openAuditLog } from '../../../src/audit/write/open-audit-log.ts'
import { deniedParts } from '../../support/decision.ts'
import { failingDisk } from '../../support/failing-disk.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'
import { decisionsIn, flawsIn } from '../../support/written-log.ts'

const several = ['d-2', 'd-3', 'd-4'].map(deniedParts)

describe('audit/write/audit-log, several records at once', () => {
  let directory: string
  beforeEach(() => {
    directory = join(temporaryDirectory(), 'audit')
  })

  it('keeps them by one write, in their order', async () => {
    let writes = 0
    await using log = open((...given) => {
      writes++
      return writeSync(...given)
    })
    append(log, 'd-1')
    const before = writes
    expect(log.tryAppendAll(several)).to.equal(true)
    expect(writes - before).to.equal(1)
    expect(await decisionsIn(directory)).to.deep.equal(['d-1', 'd-2', 'd-3', 'd-4'])
  })

  it('keeps all or none, and none while something is amiss', async () => {
    const disk = failingDisk()
    {
      await using log = open(disk.write)
      append(log, 'd-1')
      disk.fail('ENOSPC', 1500)
      expect(log.tryAppendAll(several)).to.equal(false)
      expect(await decisionsIn(directory)).to.deep.equal(['d-1'])
      expect(() => append(log, 'd-5')).to.throw()
      disk.repair()
      expect(log.tryAppendAll(several)).to.equal(false)
      expect(log.isAvailable()).to.equal(true)
      expect(log.tryAppendAll(several)).to.equal(true)
      expect(await decisionsIn(directory)).to.deep.equal(['d-1', 'd-2', 'd-3', 'd-4'])
    }
    expect(await flawsIn(directory)).to.deep.equal([])
  })

  it('keeps none when one cannot be written down', async () => {
    await using log = open(writeSync)
    const broken = deniedParts('d-5')
    Object.defineProperty(broken, 'timeMs', { value: Number.NaN })
    expect(log.tryAppendAll([...several, broken])).to.equal(false)
    expect(await decisionsIn(directory)).to.deep.equal([])
  })

  it('keeps none once it is closed', async () => {
    const log = open(writeSync)
    await log[Symbol.asyncDispose]()
    expect(log.tryAppendAll(several)).to.equal(false)
  })

  function open(write: WriteBytes): AuditLog {
    return openAuditLog({
      directory,
      mode: 'written',
      stdout: false,
      origin: 'replica',
      report: () => {},
      write,
    })
  }
})

function append(log: AuditLog, decisionId: string): void {
  void log.append(deniedParts(decisionId))
}
