import { writeSync } from 'node:fs'
import { AuditUnavailable, openAuditLog } from '../../src/audit/audit-log.ts'
import { toRecord } from '../../src/audit/record.ts'
import { deniedParts } from './decision.ts'

// A process of its own that appends records until it is killed or has written `count`, and acknowledges each on stderr.
const [directory = '', prefix = '', count = '0', copy = ''] = process.argv.slice(2)
const log = openAuditLog({
  directory,
  mode: 'written',
  stdout: copy === 'stdout',
  origin: 'replica',
  epochMs: 1,
  report: () => {},
})
for (let index = 0; index < Number(count); index++) {
  const decisionId = `${prefix}-${index}`
  writeSync(2, `${append(decisionId)} ${decisionId}\n`)
}
await log[Symbol.asyncDispose]()
process.exit()

function append(decisionId: string): string {
  try {
    log.append(toRecord(deniedParts(decisionId)))
    return 'written'
  } catch (error) {
    if (error instanceof AuditUnavailable) return 'refused'
    throw error
  }
}
