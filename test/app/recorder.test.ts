import { expect } from 'chai'
import { createRecorder } from '../../src/app/recorder.ts'
import { AuditUnavailable } from '../../src/audit/outage.ts'
import { deniedParts } from '../support/decision.ts'

const parts = deniedParts()
const refused = new AuditUnavailable('the record could not be written')

describe('app/recorder', () => {
  it('answers at once when the record is kept at once', () => {
    expect(createRecorder({ append: () => undefined })(parts, 0)).to.equal(true)
  })

  it('says that a record could not be kept, at once or later', async () => {
    const now = createRecorder({
      append: () => {
        throw refused
      },
    })
    const later = createRecorder({ append: () => Promise.reject(refused) })
    expect(now(parts, Date.now() + 1000)).to.equal(false)
    expect(await later(parts, Date.now() + 1000)).to.equal(false)
  })

  it('says so when the disk is too slow for the deadline', async () => {
    const never = createRecorder({ append: () => new Promise(() => {}) })
    expect(await never(parts, Date.now() + 5)).to.equal(false)
    expect(await never(parts, Date.now() - 5)).to.equal(false)
  })

  it('waits for a disk that is fast enough', async () => {
    const record = createRecorder({ append: () => new Promise(setImmediate) })
    expect(await record(parts, Date.now() + 1000)).to.equal(true)
  })

  it('passes any other fault on', async () => {
    const fault = new TypeError('a bug')
    const now = createRecorder({
      append: () => {
        throw fault
      },
    })
    const later = createRecorder({ append: () => Promise.reject(fault) })
    expect(() => now(parts, 0)).to.throw(TypeError)
    expect(await Promise.resolve(later(parts, Date.now() + 1000)).catch((cause: unknown) => cause)).to.equal(
      fault,
    )
  })
})
