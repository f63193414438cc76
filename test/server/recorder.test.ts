import { expect } from 'chai'
import type { AuditLog } from '../../src/audit/write/audit-log.ts'
import { AuditUnavailable } from '../../src/audit/write/outage.ts'
import { elapsedMs } from '../../src/server/by-deadline.ts'
import { createRecorder } from '../../src/server/recorder.ts'
import { deniedParts } from '../support/decision.ts'

const parts = deniedParts()
const refused = new AuditUnavailable('the record could not be written')
const fault = new TypeError('a bug')
const soon = () => elapsedMs() + 600_000

type Log = Pick<AuditLog, 'append' | 'tryAppendAll'>

/** A log that notes what it is asked to write together, which it does as long as `areKept`, and by itself. */
function notingLog(areKept: boolean, append: (decisionId: string) => void = () => {}) {
  const writes: string[] = []
  const log: Log = {
    append({ decisionId }) {
      writes.push(decisionId)
      append(decisionId)
    },
    tryAppendAll(all) {
      writes.push(all.map(({ decisionId }) => decisionId).join('+'))
      return areKept
    },
  }
  return { log, writes }
}

describe('server/recorder', () => {
  for (const mode of ['durable', 'buffered'] as const) {
    describe(`in ${mode}`, () => {
      const recorderOf = (append: Log['append']) =>
        createRecorder({ append, tryAppendAll: () => true }, { mode })

      it('answers at once when the record is kept at once', () => {
        expect(recorderOf(() => undefined)(parts, 0)).to.equal(true)
      })

      it('says that a record could not be kept, at once or later', async () => {
        const now = recorderOf(() => {
          throw refused
        })
        const later = recorderOf(() => Promise.reject(refused))
        expect(now(parts, soon())).to.equal(false)
        expect(await later(parts, soon())).to.equal(false)
      })

      it('says so when the disk is too slow for the deadline', async () => {
        const never = recorderOf(() => new Promise(() => {}))
        expect(await never(parts, elapsedMs() + 5)).to.equal(false)
        expect(await never(parts, elapsedMs() - 5)).to.equal(false)
      })

      it('waits for a disk that is fast enough', async () => {
        expect(await recorderOf(() => new Promise(setImmediate))(parts, soon())).to.equal(true)
      })

      it('passes any other fault on', async () => {
        const now = recorderOf(() => {
          throw fault
        })
        const later = recorderOf(() => Promise.reject(fault))
        expect(() => now(parts, 0)).to.throw(TypeError)
        expect(await Promise.resolve(later(parts, soon())).catch((cause: unknown) => cause)).to.equal(fault)
      })
    })
  }

  describe('in written', () => {
    it('writes together what comes in one turn, and answers when it is written', async () => {
      const { log, writes } = notingLog(true)
      const record = createRecorder(log, { mode: 'written' })
      const kept = ['d-1', 'd-2', 'd-3'].map((id) => record(deniedParts(id), soon()))
      await Promise.resolve()
      expect(writes).to.deep.equal([])
      expect(await Promise.all(kept)).to.deep.equal([true, true, true])
      expect(writes).to.deep.equal(['d-1+d-2+d-3'])
      expect(await record(deniedParts('d-4'), soon())).to.equal(true)
      expect(writes).to.deep.equal(['d-1+d-2+d-3', 'd-4'])
    })

    it('makes no more than 64 wait for one another', async () => {
      const { log, writes } = notingLog(true)
      const record = createRecorder(log, { mode: 'written' })
      const kept = Array.from({ length: 130 }, (_, at) => record(deniedParts(`d-${at}`), soon()))
      expect(writes.map((ids) => ids.split('+').length)).to.deep.equal([64, 64])
      expect(new Set(await Promise.all(kept))).to.deep.equal(new Set([true]))
      expect(writes.map((ids) => ids.split('+').length)).to.deep.equal([64, 64, 2])
    })

    it('tries each by itself when they cannot be written together, and tells them apart', async () => {
      const { log, writes } = notingLog(false, (decisionId) => {
        if (decisionId === 'd-2') throw refused
        if (decisionId === 'd-3') throw fault
      })
      const record = createRecorder(log, { mode: 'written' })
      const kept = ['d-1', 'd-2', 'd-3', 'd-4'].map((id) => record(deniedParts(id), soon()))
      const outcomes = await Promise.allSettled(kept)
      expect(outcomes.map((outcome) => ('value' in outcome ? outcome.value : outcome.reason))).to.deep.equal([
        true,
        false,
        fault,
        true,
      ])
      expect(writes).to.deep.equal(['d-1+d-2+d-3+d-4', 'd-1', 'd-2', 'd-3', 'd-4'])
    })

    it('tries each by itself when the log breaks, so that every check is answered', async () => {
      const { log, writes } = notingLog(true)
      const broken: Log = {
        ...log,
        tryAppendAll: () => {
          throw fault
        },
      }
      const record = createRecorder(broken, { mode: 'written' })
      const kept = ['d-1', 'd-2'].map((id) => record(deniedParts(id), soon()))
      expect(await Promise.all(kept)).to.deep.equal([true, true])
      expect(writes).to.deep.equal(['d-1', 'd-2'])
    })

    it('writes at once what belongs to an answer that does not wait', () => {
      const { log, writes } = notingLog(true)
      expect(createRecorder(log, { mode: 'written' })(deniedParts('d-1'), 'now')).to.equal(true)
      expect(writes).to.deep.equal(['d-1'])
    })
  })
})
