import { expect } from 'chai'
import { parseOrder, parseWorkerMessage } from '../../../src/server/workers/worker-channel.ts'

describe('server/workers/worker-channel', () => {
  it('reads what was said, and nothing else', () => {
    expect(parseOrder({ kind: 'connection', listener: 1 })).to.deep.equal({ kind: 'connection', listener: 1 })
    expect(parseWorkerMessage({ kind: 'measured', text: 'a' })).to.deep.equal({ kind: 'measured', text: 'a' })
    for (const message of [
      undefined,
      'opened',
      { kind: 'measured' },
      { kind: 'connection', listener: '1' },
    ]) {
      expect(parseOrder(message)).to.equal(undefined)
      expect(parseWorkerMessage(message)).to.equal(undefined)
    }
  })
})
