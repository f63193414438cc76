import { expect } from 'chai'
import { createRecorder } from '../../src/app/recorder.ts'
import { AuditUnavailable } from '../../src/audit/audit-log.ts'
import type { DecisionRecord } from '../../src/audit/record.ts'
import { deniedParts } from '../support/decision.ts'

const parts = deniedParts()
const refused = new AuditUnavailable('the record could not be written')

describe('app/recorder', () => {
  it('answers at once when the record is kept at once', () => {
    expect(createRecorder({ append: () => undefined }, undefined)(parts, 0)).to.equal(true)
  })

  it('says that a record could not be kept, at once or later', async () => {
    const now = createRecorder(
      {
        append: () => {
          throw refused
        },
      },
      undefined,
    )
    const later = createRecorder({ append: () => Promise.reject(refused) }, undefined)
    expect(now(parts, Date.now() + 1000)).to.equal(false)
    expect(await later(parts, Date.now() + 1000)).to.equal(false)
  })

  it('says so when the disk is too slow for the deadline', async () => {
    const never = createRecorder({ append: () => new Promise(() => {}) }, undefined)
    expect(await never(parts, Date.now() + 5)).to.equal(false)
    expect(await never(parts, Date.now() - 5)).to.equal(false)
  })

  it('waits for a disk that is fast enough', async () => {
    const record = createRecorder({ append: () => new Promise(setImmediate) }, undefined)
    expect(await record(parts, Date.now() + 1000)).to.equal(true)
  })

  it('names the user as it is told', () => {
    const records: DecisionRecord[] = []
    const append = (record: DecisionRecord) => void records.push(record)
    createRecorder({ append }, () => '~hidden')(parts, 0)
    expect(JSON.stringify(records)).to.include('~hidden').and.not.to.include('clerk')
  })

  it('passes any other fault on', async () => {
    const fault = new TypeError('a bug')
    const now = createRecorder(
      {
        append: () => {
          throw fault
        },
      },
      undefined,
    )
    const later = createRecorder({ append: () => Promise.reject(fault) }, undefined)
    expect(() => now(parts, 0)).to.throw(TypeError)
    expect(await Promise.resolve(later(parts, Date.now() + 1000)).catch((cause: unknown) => cause)).to.equal(
      fault,
    )
  })
})
