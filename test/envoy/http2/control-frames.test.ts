import { expect } from 'chai'
import { errorCode, flag, frameType, uint32 } from '../../../src/envoy/http2/frames/frames.ts'
import {
  anyFrame,
  callFrames,
  checkPath,
  createTestSession,
  goawayCode,
  headersFrame,
  resetCodes,
  settingsFrame,
} from '../../support/http2-session.ts'

const never = { kind: 'unary', answer: () => new Promise<never>(() => {}) } as const

describe('envoy/http2/control-frames', () => {
  it('acknowledges SETTINGS and PING, and no acknowledgement', () => {
    const test = createTestSession()
    test.frames()
    test.hear(
      settingsFrame(0x99, 1),
      anyFrame('ping', 0, Buffer.from('12345678')),
      anyFrame('settings', 0, Buffer.alloc(0), flag.ack),
      anyFrame('ping', 0, Buffer.from('12345678'), flag.ack),
    )
    expect(test.frames().map(({ type, flags, payload }) => [type, flags, payload.toString()])).to.deep.equal([
      [frameType.settings, flag.ack, ''],
      [frameType.ping, flag.ack, '12345678'],
    ])
  })

  for (const { name, frame, code } of [
    { name: 'SETTINGS of a stream', frame: anyFrame('settings', 1), code: errorCode.protocolError },
    {
      name: 'half a setting',
      frame: anyFrame('settings', 0, Buffer.alloc(5)),
      code: errorCode.frameSizeError,
    },
    {
      name: 'an acknowledgement with content',
      frame: anyFrame('settings', 0, Buffer.alloc(6), flag.ack),
      code: errorCode.frameSizeError,
    },
    {
      name: 'a push that is neither on nor off',
      frame: settingsFrame(0x2, 2),
      code: errorCode.protocolError,
    },
    {
      name: 'a window that is too large',
      frame: settingsFrame(0x4, 0x8000_0000),
      code: errorCode.flowControlError,
    },
    { name: 'frames that are too small', frame: settingsFrame(0x5, 16_383), code: errorCode.protocolError },
    {
      name: 'frames that are too large',
      frame: settingsFrame(0x5, 0x100_0000),
      code: errorCode.protocolError,
    },
    { name: 'PING of a stream', frame: anyFrame('ping', 1, Buffer.alloc(8)), code: errorCode.protocolError },
    { name: 'a short PING', frame: anyFrame('ping', 0, Buffer.alloc(7)), code: errorCode.frameSizeError },
    {
      name: 'GOAWAY of a stream',
      frame: anyFrame('goaway', 1, Buffer.alloc(8)),
      code: errorCode.protocolError,
    },
    { name: 'a short GOAWAY', frame: anyFrame('goaway', 0, Buffer.alloc(7)), code: errorCode.frameSizeError },
    {
      name: 'PRIORITY of no stream',
      frame: anyFrame('priority', 0, Buffer.alloc(5)),
      code: errorCode.protocolError,
    },
    {
      name: 'RST_STREAM of no stream',
      frame: anyFrame('rstStream', 0, uint32(8)),
      code: errorCode.protocolError,
    },
    {
      name: 'RST_STREAM of a stream that only we could open',
      frame: anyFrame('rstStream', 2, uint32(8)),
      code: errorCode.protocolError,
    },
    {
      name: 'WINDOW_UPDATE of a stream that only we could open',
      frame: anyFrame('windowUpdate', 2, uint32(1)),
      code: errorCode.protocolError,
    },
    {
      name: 'RST_STREAM of a stream that never was',
      frame: anyFrame('rstStream', 9, uint32(8)),
      code: errorCode.protocolError,
    },
    {
      name: 'a short RST_STREAM',
      frame: anyFrame('rstStream', 1, Buffer.alloc(3)),
      code: errorCode.frameSizeError,
    },
    {
      name: 'a short WINDOW_UPDATE',
      frame: anyFrame('windowUpdate', 0, Buffer.alloc(3)),
      code: errorCode.frameSizeError,
    },
    {
      name: 'WINDOW_UPDATE by nothing',
      frame: anyFrame('windowUpdate', 0, uint32(0)),
      code: errorCode.protocolError,
    },
    {
      name: 'WINDOW_UPDATE by too much',
      frame: anyFrame('windowUpdate', 0, uint32(0x7fff_ffff)),
      code: errorCode.flowControlError,
    },
    {
      name: 'WINDOW_UPDATE of a stream that never was',
      frame: anyFrame('windowUpdate', 9, uint32(1)),
      code: errorCode.protocolError,
    },
  ]) {
    it(`ends a connection that sends ${name}`, () => {
      const test = createTestSession({}, { [checkPath]: never })
      test.hear(callFrames(1, 'a'), callFrames(3, 'b'), frame)
      expect(goawayCode(test.frames())).to.equal(code)
    })
  }

  for (const { name, frame, code } of [
    {
      name: 'WINDOW_UPDATE by nothing',
      frame: anyFrame('windowUpdate', 1, uint32(0)),
      code: errorCode.protocolError,
    },
    {
      name: 'WINDOW_UPDATE by too much',
      frame: anyFrame('windowUpdate', 1, uint32(0x7fff_ffff)),
      code: errorCode.flowControlError,
    },
    {
      name: 'PRIORITY of a wrong size',
      frame: anyFrame('priority', 1, Buffer.alloc(4)),
      code: errorCode.frameSizeError,
    },
    {
      name: 'PRIORITY that depends on itself',
      frame: anyFrame('priority', 1, Buffer.from([0, 0, 0, 1, 0])),
      code: errorCode.protocolError,
    },
  ]) {
    it(`resets a stream that gets ${name}, and goes on`, () => {
      const test = createTestSession({}, { [checkPath]: never })
      test.hear(callFrames(1, 'a'), frame)
      const frames = test.frames()
      expect(resetCodes(frames)).to.deep.equal([code])
      expect(goawayCode(frames)).to.equal(undefined)
    })
  }

  it('ends a connection whose SETTINGS make an open window overflow', () => {
    const test = createTestSession({}, { [checkPath]: never })
    test.hear(
      callFrames(1, 'a'),
      anyFrame('windowUpdate', 1, uint32(0x7fff_0000)),
      settingsFrame(0x4, 0x7fff_ffff),
    )
    expect(goawayCode(test.frames())).to.equal(errorCode.flowControlError)
  })

  it('moves windows once for all that one SETTINGS frame says, by its last value (RFC 9113 §6.5.3)', () => {
    const test = createTestSession({}, { [checkPath]: never })
    test.hear(callFrames(1, 'a'), anyFrame('windowUpdate', 1, uint32(0x7fff_0000)))
    const values = [0x7fff_ffff, 5, 0x7fff_ffff, 10].map((value) => settingsFrame(0x4, value).subarray(9))
    test.hear(anyFrame('settings', 0, Buffer.concat(values)))
    expect(goawayCode(test.frames())).to.equal(undefined)
    expect(test.session.streams.get(1)?.sendWindow).to.equal(0x7fff_0000 + 10)
    expect(test.session.initialWindow).to.equal(10)
  })

  it('judges every value of a SETTINGS frame, those too that a later one replaces', () => {
    const test = createTestSession()
    const values = [0x8000_0000, 10].map((value) => settingsFrame(0x4, value).subarray(9))
    test.hear(anyFrame('settings', 0, Buffer.concat(values)))
    expect(goawayCode(test.frames())).to.equal(errorCode.flowControlError)
  })

  it('takes WINDOW_UPDATE for a stream that has just ended', () => {
    const test = createTestSession()
    test.hear(callFrames(1, 'a'), anyFrame('windowUpdate', 1, uint32(5)))
    expect(goawayCode(test.frames())).to.equal(undefined)
  })

  it('ends a watch that is reset', () => {
    let ends = 0
    const watch = {
      kind: 'watch',
      watch: () => () => {
        ends++
      },
    } as const
    const test = createTestSession({}, { [checkPath]: watch })
    test.hear(callFrames(1, 'a'))
    expect(ends).to.equal(0)
    test.hear(anyFrame('rstStream', 1, uint32(8)))
    expect(ends).to.equal(1)
  })

  it('forgets a call that is reset', () => {
    const test = createTestSession({}, { [checkPath]: never })
    test.hear(headersFrame(1), anyFrame('rstStream', 1, uint32(8)))
    expect(test.session.streams.size).to.equal(0)
    expect(test.memory.usedBytes).to.equal(0)
  })
})
