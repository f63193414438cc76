import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { AuditLog } from '../../../src/audit/write/audit-log.ts'
import { openAuditLog } from '../../../src/audit/write/open-audit-log.ts'
import { deniedParts } from '../../support/decision.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'
import { decisionsIn, flawsIn } from '../../support/written-log.ts'

// How a start on a full disk goes: audit-log-outages.test.ts.
describe('audit/write/open-audit-log', () => {
  let directory: string
  beforeEach(() => {
    directory = join(temporaryDirectory(), 'audit')
  })

  it('does not open where no directory can be', () => {
    writeFileSync(directory, '')
    expect(() => open())
      .to.throw()
      .with.property('code', 'audit_unavailable')
  })

  it('lets no second log into its directory', async () => {
    await using log = open()
    expect(() => open())
      .to.throw()
      .with.nested.property('cause.code', 'directory_taken')
    void log.append(deniedParts('d-1'))
    expect(await decisionsIn(directory)).to.deep.equal(['d-1'])
  })

  it('leaves the directory to the next when it is closed', async () => {
    await open()[Symbol.asyncDispose]()
    await open()[Symbol.asyncDispose]()
    expect(readdirSync(directory).filter((name) => name.startsWith('lock'))).to.deep.equal([])
    expect(await flawsIn(directory)).to.deep.equal([])
  })

  function open(): AuditLog {
    return openAuditLog({ directory, mode: 'written', stdout: false, origin: 'replica', report: () => {} })
  }
})
