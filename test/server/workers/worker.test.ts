import { expect } from 'chai'
import type { Event } from '../../../src/base/model/event.ts'
import { measure } from '../../../src/server/workers/worker.ts'
import type { News } from '../../../src/server/workers/worker-channel.ts'

describe('server/workers/worker', () => {
  const cause = new Error('no such gauge')
  for (const { name, metricsText, news, reported } of [
    {
      name: 'says its metrics',
      metricsText: async () => 'metrics',
      news: { kind: 'measured', text: 'metrics' },
      reported: [],
    },
    {
      name: 'says that there are none when they fail, for who decides must not end of it',
      metricsText: () => Promise.reject(cause),
      news: { kind: 'measured', text: undefined },
      reported: [{ kind: 'fault', where: 'admin', cause }],
    },
  ]) {
    it(name, async () => {
      const told: News[] = []
      const events: Event[] = []
      await measure({ metricsText, report: (event) => events.push(event) }, (one) => told.push(one))
      expect(told).to.deep.equal([news])
      expect(events).to.deep.equal(reported)
    })
  }
})
