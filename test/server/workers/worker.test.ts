import { expect } from 'chai'
import type { Event } from '../../../src/base/model/event.ts'
import { measure } from '../../../src/server/workers/worker.ts'
import type { WorkerMessage } from '../../../src/server/workers/worker-channel.ts'

describe('server/workers/worker', () => {
  const cause = new Error('no such gauge')
  for (const { name, metricsText, message, reported } of [
    {
      name: 'says its metrics',
      metricsText: async () => 'metrics',
      message: { kind: 'measured', text: 'metrics' },
      reported: [],
    },
    {
      name: 'says that there are none when they fail, for who decides must not end of it',
      metricsText: () => Promise.reject(cause),
      message: { kind: 'measured', text: undefined },
      reported: [{ kind: 'fault', where: 'admin', cause }],
    },
  ]) {
    it(name, async () => {
      const told: WorkerMessage[] = []
      const events: Event[] = []
      await measure({ metricsText, report: (event) => events.push(event) }, (one) => told.push(one))
      expect(told).to.deep.equal([message])
      expect(events).to.deep.equal(reported)
    })
  }
})
