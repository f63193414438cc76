import { expect } from 'chai'
import { guard } from '../../../src/envoy/http2/closing.ts'
import { callFrames, checkPath, createTestSession } from '../../support/http2-session.ts'

describe('envoy/http2/closing, a fault', () => {
  it('reports a fault, and ends the one connection on which it showed', () => {
    const broken = new Error('broken')
    const faults: unknown[] = []
    const answer = () => {
      throw broken
    }
    const method = { kind: 'unary', answer } as const
    const onFault = (cause: unknown) => faults.push(cause)
    const test = createTestSession({}, { [checkPath]: method }, true, onFault)
    guard(test.session, () => test.hear(callFrames(1, 'a')))
    expect(faults).to.deep.equal([broken])
    expect(test.link.isDestroyed).to.equal(true)
    expect(test.ended).to.deep.equal(['internal_error'])
    expect(test.session.state).to.equal('closed')
    expect(test.memory.usedBytes).to.equal(0)
  })

  it('lets work be that goes well', () => {
    const test = createTestSession()
    guard(test.session, () => test.hear(callFrames(1, 'a')))
    expect(test.session.state).to.equal('open')
  })
})
