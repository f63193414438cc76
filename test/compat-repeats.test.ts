import { createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { toChain } from '../src/audit/format/parse-record.ts'
import { readRecords } from '../src/audit/read/query.ts'
import { verifyLogs } from '../src/audit/verify/verify.ts'

describe('compat v2: records that repeat others', () => {
  const directory = 'test/compat/v2/repeats'
  const meanings: readonly object[] = JSON.parse(readFileSync(join(directory, 'means.json'), 'utf8'))

  it('says of each what it said', async () => {
    const found: object[] = []
    for await (const line of readRecords([directory])) {
      if (line.kind === 'meta') continue
      if (line.kind !== 'record') throw new TypeError(line.kind)
      const { decisionId, time, durationMicros, traceId, outcome } = line.record
      found.push(JSON.parse(JSON.stringify({ decisionId, time, durationMicros, traceId, outcome })))
      expect(toChain(line.record)).to.have.nested.property('subject.id', 'clerk')
      expect(line.record.results.map(({ role }) => role)).to.deep.equal(['caller', 'delegator', 'subject'])
    }
    expect(found).to.deep.equal(meanings)
  })

  it('is as it was signed', async () => {
    const key = createPublicKey(readFileSync(join(directory, 'log-key.pub')))
    const { logs, problems } = await verifyLogs([directory], { keys: [key], exported: [] })
    const verdicts = logs.map(({ flaws, verdict }) => [flaws, verdict.records, verdict.unsealed])
    expect([problems, verdicts]).to.deep.equal([[], [[[], meanings.length, 0]]])
  })
})
