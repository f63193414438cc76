import { writeSync } from 'node:fs'
import { openAuditLog } from '../../src/audit/write/open-audit-log.ts'
import { AuditUnavailable } from '../../src/audit/write/outage.ts'
import { deniedParts, repeatedParts } from './decision.ts'

// A process of its own that appends records until it is killed or has written `count`, and acknowledges each on stderr.
const [directory = '', prefix = '', count = '0', copy = '', mode = 'written', kind = ''] =
  process.argv.slice(2)
const toParts = kind === 'repeated' ? repeatedParts : deniedParts
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
  acknowledge(`${await append(decisionId)} ${decisionId}\n`)
}
await log[Symbol.asyncDispose]()
process.exit()

/** Waits for a reader who falls behind: its pipe may be one that refuses what does not fit. */
function acknowledge(line: string): void {
  for (let rest = Buffer.from(line); rest.length > 0; ) {
    try {
      rest = rest.subarray(writeSync(2, rest))
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
    }
  }
}

async function append(decisionId: string): Promise<string> {
  try {
    await log.append(toParts(decisionId))
    return 'written'
  } catch (error) {
    if (error instanceof AuditUnavailable) return 'refused'
    throw error
  }
}
