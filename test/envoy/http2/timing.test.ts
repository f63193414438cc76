import { expect } from 'chai'
import { preface } from '../../../src/envoy/http2/frames/frame-reader.ts'
import { encodeFrame, errorCode, flag, frameType, uint32 } from '../../../src/envoy/http2/frames/frames.ts'
import type { Method } from '../../../src/envoy/http2/grpc/method.ts'
import { defaultLimits } from '../../../src/envoy/http2/limits.ts'
import { onSent } from '../../../src/envoy/http2/unsent.ts'
import type { CallContext } from '../../../src/envoy/transport.ts'
import { frameMessage } from '../../../src/envoy/unary-message.ts'
import {
  anyFrame,
  callFrames,
  checkPath,
  createTestSession,
  dataFrame,
  dataOf,
  echoRefusal,
  goawayCode,
  headersFrame,
  resetCodes,
  settingsFrame,
  statusOf,
  type TestSession,
} from '../../support/http2-session.ts'
import { stepWallClock, wallClockSteps } from '../../support/wall-clock.ts'

const never: Method = { kind: 'unary', answer: () => new Promise(() => {}) }
const { prefaceMs, requestMs, stalledMs, keepaliveMs, keepaliveTimeoutMs, idleMs, maxAgeMs } = defaultLimits

describe('envoy/http2/timing', () => {
  it('ends a connection that says nothing', () => {
    const test = createTestSession({}, undefined, false)
    test.pass(prefaceMs)
    expect(test.session.state).to.equal('open')
    test.pass(1)
    expect(goawayCode(test.frames())).to.equal(errorCode.settingsTimeout)
  })

  it('ends a connection that does not acknowledge our SETTINGS (RFC 9113 §6.5.3)', () => {
    const test = createTestSession({}, undefined, false)
    test.hear(preface, anyFrame('settings', 0), callFrames(1, 'a'))
    test.pass(prefaceMs)
    expect(statusOf(test.frames(), 1)).to.equal('0')
    test.pass(1)
    expect(goawayCode(test.frames())).to.equal(errorCode.settingsTimeout)
  })

  for (const { name, drip } of [
    {
      name: 'a header block',
      drip: (test: TestSession, step: number) =>
        test.hear(step === 0 ? headersFrame(1, 0) : anyFrame('continuation', 1, Buffer.from([0x88]))),
    },
    {
      name: 'a frame',
      drip: (test: TestSession, step: number) => test.hear(headersFrame(1).subarray(step, step + 1)),
    },
  ]) {
    it(`ends a connection that sends ${name} a byte now and then`, () => {
      const test = createTestSession({ maxContinuations: 100 })
      for (let step = 0; step < 11; step++) {
        drip(test, step)
        test.pass(requestMs / 10)
      }
      expect(goawayCode(test.frames())).to.equal(errorCode.enhanceYourCalm)
    })
  }

  it('measures each frame by itself', () => {
    const test = createTestSession()
    const call = callFrames(1, Buffer.alloc(100))
    for (let at = 0; at < call.length; at += 10) {
      test.hear(call.subarray(at, at + 10))
      test.pass(requestMs / 20)
    }
    expect(test.session.state).to.equal('open')
  })

  it('denies a request that does not become whole in time, and only it', () => {
    const test = createTestSession()
    const message = frameMessage(Buffer.alloc(100))
    test.hear(headersFrame(1))
    for (let step = 0; step < 11; step++) {
      test.hear(dataFrame(1, message.subarray(step, step + 1), 0))
      test.pass(requestMs / 10)
    }
    test.hear(callFrames(3, 'a'))
    const frames = test.frames()
    expect(dataOf(frames, 1)).to.deep.equal(echoRefusal('deadline_exceeded'))
    expect(resetCodes(frames)).to.deep.equal([errorCode.noError])
    expect(statusOf(frames, 3)).to.equal('0')
    expect(test.memory.usedBytes).to.equal(0)
  })

  it('ends an answer that nobody takes, however slowly its window opens', () => {
    const test = createTestSession()
    test.hear(settingsFrame(0x4, 0), callFrames(1, 'abc'))
    for (let step = 0; step < 4; step++) {
      test.hear(anyFrame('windowUpdate', 1, uint32(1)))
      test.pass(stalledMs / 3)
    }
    expect(resetCodes(test.frames())).to.deep.equal([errorCode.cancel])
    expect(test.memory.usedBytes).to.equal(0)
  })

  it('closes on a peer that takes nothing, and not on one that takes slowly', () => {
    const test = createTestSession({ keepaliveMs: 1e9, idleMs: 1e9 })
    test.link.takes = false
    test.hear(callFrames(1, Buffer.alloc(5000)))
    for (let step = 0; step < 10; step++) {
      test.link.unsent -= 100
      test.pass(stalledMs - 1)
      onSent(test.session)
    }
    expect(test.link.isDestroyed).to.equal(false)
    test.pass(stalledMs + 1)
    expect(test.link.isDestroyed).to.equal(true)
  })

  it('forgets a stall that has ended between two looks', () => {
    const test = createTestSession({ keepaliveMs: 1e9, idleMs: 1e9 })
    test.link.takes = false
    test.hear(callFrames(1, Buffer.alloc(5000)))
    test.link.unsent = 0
    onSent(test.session)
    test.pass(stalledMs * 2)
    test.hear(callFrames(3, Buffer.alloc(5000)))
    test.pass(1)
    expect(test.link.isDestroyed).to.equal(false)
  })

  it('tells a client that its deadline is past, and frees the call', () => {
    const test = createTestSession({}, { [checkPath]: never })
    test.hear(
      headersFrame(1, flag.endHeaders, { 'grpc-timeout': '50m' }),
      dataFrame(1, frameMessage(Buffer.alloc(0))),
    )
    test.pass(50)
    expect(statusOf(test.frames(), 1)).to.equal(undefined)
    test.pass(1)
    expect(statusOf(test.frames(), 1)).to.equal('4')
    expect(test.session.streams.size).to.equal(0)
  })

  for (const { name, stepMs } of wallClockSteps) {
    it(`ends what takes too long, and nothing else, though the wall clock is put ${name}`, () => {
      const test = createTestSession({}, { [checkPath]: never })
      test.hear(headersFrame(1, flag.endHeaders, { 'grpc-timeout': '50m' }), headersFrame(3))
      test.hear(dataFrame(1, frameMessage(Buffer.alloc(0))))
      using _step = stepWallClock(stepMs)
      test.pass(50)
      expect([test.session.state, test.session.streams.size]).to.deep.equal(['open', 2])
      test.pass(1)
      expect(statusOf(test.frames(), 1)).to.equal('4')
      test.pass(requestMs)
      expect(statusOf(test.frames(), 3)).to.equal('4')
    })
  }

  it('passes the deadline of a call on as it stood when its headers came', () => {
    const deadlines: (number | undefined)[] = []
    const answer = (message: Uint8Array, { deadlineMs }: CallContext) => {
      deadlines.push(deadlineMs)
      return message
    }
    const test = createTestSession({}, { [checkPath]: { kind: 'unary', answer } })
    test.hear(headersFrame(1, flag.endHeaders, { 'grpc-timeout': '200m' }))
    test.pass(50)
    test.hear(dataFrame(1, frameMessage(Buffer.alloc(0))), callFrames(3, ''))
    expect(deadlines).to.deep.equal([test.clock.elapsedMs + 150, undefined])
  })

  it('asks a silent peer whether it is there, and goes when it is not', () => {
    const test = createTestSession()
    test.frames()
    test.pass(keepaliveMs + 1)
    const [ping] = test.frames()
    expect(ping?.type).to.equal(frameType.ping)
    test.pass(1)
    test.hear(encodeFrame(frameType.ping, flag.ack, 0, ping?.payload ?? Buffer.alloc(8)))
    test.pass(keepaliveTimeoutMs + 1)
    expect(test.link.isDestroyed).to.equal(false)
    test.pass(keepaliveMs)
    test.pass(keepaliveTimeoutMs + 1)
    expect(test.link.isDestroyed).to.equal(true)
  })

  it('does not ask a peer that it does not read from', () => {
    const test = createTestSession({ pauseAboveBytes: 100, stalledMs: 1e9, idleMs: 1e9, requestMs: 1e9 })
    test.link.takes = false
    test.hear(callFrames(1, Buffer.alloc(5000)))
    expect(test.link.isReading).to.equal(false)
    test.frames()
    test.pass(keepaliveMs * 2)
    test.pass(keepaliveTimeoutMs * 2)
    expect(test.frames()).to.deep.equal([])
    expect(test.link.isDestroyed).to.equal(false)
  })

  for (const { name, afterMs, overrides } of [
    { name: 'idle', afterMs: idleMs, overrides: { keepaliveMs: 1e9 } },
    { name: 'old', afterMs: maxAgeMs, overrides: { keepaliveMs: 1e9, idleMs: 1e9 } },
  ]) {
    it(`asks a client to move on when its connection is ${name}`, () => {
      const test = createTestSession(overrides)
      test.frames()
      test.pass(afterMs)
      expect(test.frames()).to.deep.equal([])
      test.pass(1)
      expect(goawayCode(test.frames())).to.equal(errorCode.noError)
      expect(test.link.isEnded).to.equal(false)
    })
  }
})
