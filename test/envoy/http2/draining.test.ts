import { expect } from 'chai'
import { startDraining } from '../../../src/envoy/http2/draining.ts'
import { errorCode, flag, frameType } from '../../../src/envoy/http2/frames/frames.ts'
import { createHealth } from '../../../src/envoy/http2/grpc/health.ts'
import type { Method } from '../../../src/envoy/http2/grpc/method.ts'
import { defaultLimits } from '../../../src/envoy/http2/limits.ts'
import {
  anyFrame,
  callFrames,
  checkPath,
  createTestSession,
  echo,
  resetCodes,
  statusOf,
  watchPath,
} from '../../support/http2-session.ts'

/** A method whose one call is answered when the test says so. */
function createHeld(): { readonly method: Method; readonly answer: () => Promise<void> } {
  let settle = (_message: Uint8Array) => {}
  const answered = new Promise<Uint8Array>((resolve) => {
    settle = resolve
  })
  return {
    method: { kind: 'unary', answer: () => answered },
    async answer() {
      settle(Buffer.from('late'))
      await answered
      await new Promise((resolve) => setImmediate(resolve))
    },
  }
}

const goodbye = (frames: readonly { readonly type: number; readonly payload: Buffer }[]) =>
  frames.find(({ type }) => type === frameType.ping)?.payload ?? Buffer.alloc(8)
const lastStreams = (frames: readonly { readonly type: number; readonly payload: Buffer }[]) =>
  frames.filter(({ type }) => type === frameType.goaway).map(({ payload }) => payload.readUInt32BE())

describe('envoy/http2/draining', () => {
  it('serves calls that cross its GOAWAY, and none after the client has read it', () => {
    const test = createTestSession()
    test.frames()
    startDraining(test.session)
    const first = test.frames()
    expect(lastStreams(first)).to.deep.equal([0x7fff_ffff])
    test.hear(callFrames(1, 'crossing'))
    expect(statusOf(test.frames(), 1)).to.equal('0')
    test.hear(anyFrame('ping', 0, goodbye(first), flag.ack))
    expect(lastStreams(test.frames())).to.include(1)
    expect(test.link.isEnded).to.equal(true)
  })

  it('finishes a call under way before it ends', async () => {
    const held = createHeld()
    const test = createTestSession({}, { [checkPath]: held.method })
    test.hear(callFrames(1, 'a'))
    startDraining(test.session)
    test.hear(anyFrame('ping', 0, goodbye(test.frames()), flag.ack))
    expect(test.link.isEnded).to.equal(false)
    test.hear(callFrames(3, 'too late'))
    expect(resetCodes(test.frames())).to.deep.equal([errorCode.refusedStream])
    await held.answer()
    expect(statusOf(test.frames(), 1)).to.equal('0')
    expect(test.link.isEnded).to.equal(true)
  })

  it('never says that it serves more than it has said before (RFC 9113 §6.8)', async () => {
    const held = createHeld()
    const test = createTestSession({}, { [checkPath]: held.method })
    test.hear(callFrames(1, 'a'))
    startDraining(test.session)
    test.hear(anyFrame('ping', 0, goodbye(test.frames()), flag.ack))
    test.hear(callFrames(3, 'too late'), callFrames(5, 'too late, too'))
    await held.answer()
    expect(test.link.isEnded).to.equal(true)
    expect(lastStreams(test.allFrames())).to.deep.equal([0x7fff_ffff, 1, 1])
  })

  it('says so, too, when it ends for a mistake', () => {
    const test = createTestSession({}, { [checkPath]: createHeld().method })
    test.hear(callFrames(1, 'a'))
    startDraining(test.session)
    test.hear(anyFrame('ping', 0, goodbye(test.frames()), flag.ack))
    test.hear(callFrames(3, 'too late'), anyFrame('ping', 1, Buffer.alloc(8)))
    expect(lastStreams(test.allFrames())).to.deep.equal([0x7fff_ffff, 1, 1])
  })

  it('does not wait for a client that never acknowledges', () => {
    const test = createTestSession()
    startDraining(test.session)
    test.pass(1001)
    expect(test.link.isEnded).to.equal(true)
  })

  it('does not wait for a call that never ends', () => {
    const test = createTestSession({}, { [checkPath]: createHeld().method })
    test.hear(callFrames(1, 'a'))
    startDraining(test.session)
    test.pass(defaultLimits.maxAgeGraceMs)
    expect(test.link.isEnded).to.equal(false)
    test.pass(1)
    expect(test.link.isEnded).to.equal(true)
  })

  it('ends a watch, which would never end by itself', () => {
    const { watch } = createHealth()
    const test = createTestSession({}, { [checkPath]: echo, [watchPath]: watch })
    test.hear(callFrames(1, '', watchPath))
    startDraining(test.session)
    test.pass(1001)
    expect(statusOf(test.frames(), 1)).to.equal('14')
    expect(test.link.isEnded).to.equal(true)
  })
})
