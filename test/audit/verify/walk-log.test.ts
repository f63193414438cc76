import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { createKeyring } from '../../../src/audit/log/keyring.ts'
import { findEvidence } from '../../../src/audit/verify/evidence.ts'
import { openLogs } from '../../../src/audit/verify/open-logs.ts'
import { type Walked, walkLog } from '../../../src/audit/verify/walk-log.ts'
import { at } from '../../support/attacked-logs.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'
import { decisionIds, segmentsOf, writeLog } from '../../support/written-log.ts'

describe('audit/verify/walk-log', () => {
  let directory: string
  beforeEach(async () => {
    directory = join(temporaryDirectory(), 'audit')
    await writeLog(directory, decisionIds(12), at(0))
  })

  it('says what cannot be read, and goes on with the next segment', async () => {
    const { walked, flaws, signed } = await walk((second) => {
      rmSync(second)
      mkdirSync(second)
    })
    expect(flaws[0]).to.match(/-000001\.ndjson cannot be read: it is no regular file$/)
    expect([walked.isEnded, signed > 6]).to.deep.equal([true, true])
  })

  it('takes a segment that was removed meanwhile for missing, and says of which lines', async () => {
    const { walked, flaws } = await walk((second) => rmSync(second))
    expect(flaws[0]).to.match(
      /-000002\.ndjson says that \d+ lines of the log stand before it: \d+ of them are missing$/,
    )
    expect(walked.isEnded).to.equal(true)
  })

  /** Changes the second segment after all were found. */
  async function walk(change: (second: string) => void) {
    const { segments } = await findEvidence([directory])
    const [log = expect.fail()] = await openLogs(segments, createKeyring(undefined))
    change(segmentsOf(directory)[1] ?? '')
    const flaws: string[] = []
    let signed = 0
    const walking = walkLog({
      ...log,
      ...{ found: undefined, isTornExact: true, isVouchedWhole: false },
      onSigned(leaves) {
        signed += leaves.length
      },
      onFlaw: ({ file, message }) => void flaws.push(`${file} ${message}`),
    })
    let step: IteratorResult<undefined, Walked> = await walking.next()
    while (step.done !== true) step = await walking.next()
    return { walked: step.value, flaws, signed }
  }
})
