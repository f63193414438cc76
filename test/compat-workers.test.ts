import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { readRecords } from '../src/audit/read/query.ts'
import { verifyLogs } from '../src/audit/verify/verify.ts'

/** The identity of a log, and the proof level of each record. */
type Meaning = {
  readonly log: string
  readonly closed: boolean
  readonly decisions: Readonly<Record<string, string>>
}

describe('compat v2: logs of workers that say that they were closed, and name each other', () => {
  const directory = 'test/compat/v2/workers'
  let meanings: readonly Meaning[]
  before(() => {
    meanings = JSON.parse(readFileSync(join(directory, 'means.json'), 'utf8'))
  })

  it('says of each record how far it is proven', async () => {
    const found: Record<string, string> = {}
    for await (const line of readRecords([directory])) {
      if (line.kind === 'bad') throw new TypeError(line.reason)
      if (line.kind === 'record') found[line.record.decisionId] = line.standing
    }
    expect(found).to.deep.equal(Object.assign({}, ...meanings.map(({ decisions }) => decisions)))
  })

  it('is as it was signed, and each log is closed or has a successor', async () => {
    const { logs, problems } = await verifyLogs([directory], { keys: undefined, exported: [] })
    expect([problems, logs.flatMap(({ flaws }) => flaws)]).to.deep.equal([[], []])
    const closed = logs.map(({ log, verdict }) => [log, verdict.isEnded])
    expect(closed).to.deep.equal(meanings.map((meaning) => [meaning.log, meaning.closed]))
    // Long after they were closed, that is still all that there was.
    const asOfMs = Date.parse('2030-01-01')
    const later = await verifyLogs([directory], { keys: undefined, exported: [], asOfMs })
    expect(later.logs.flatMap(({ flaws }) => flaws)).to.deep.equal([])
  })
})
