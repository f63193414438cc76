import { writeSync } from 'node:fs'
import { AuditUnavailable, openAuditLog } from '../../src/audit/audit-log.ts'
import { toRecord } from '../../src/audit/record.ts'
import { deniedParts } from './decision.ts'

// A process of its own that appends records until it is killed or has written `count`, and acknowledges each on stderr.
const [directory = '', prefix = '', count = '0', copy = '', mode = 'written'] = process.argv.slice(2)
const log = openAuditLog({
  directory,
  mode: mode === 'durable' ? 'durable' : 'written',
  stdout: copy === 'stdout',
  origin: 'replica',
  reserveBytes: 0,
  sealEvery: 20,
  report: () => {},
})
for (let index = 0; index < Number(count); index++) {
  const decisionId = `${prefix}-${index}`
  writeSync(2, `${await append(decisionId)} ${decisionId}\n`)
}
await log[Symbol.asyncDispose]()
process.exit()

async function append(decisionId: string): Promise<string> {
  try {
    await log.append(toRecord(deniedParts(decisionId)))
    return 'written'
  } catch (error) {
    if (error instanceof AuditUnavailable) return 'refused'
    throw error
  }
}
