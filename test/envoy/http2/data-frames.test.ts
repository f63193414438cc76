import { expect } from 'chai'
import { errorCode, flag, frameType, uint32 } from '../../../src/envoy/http2/frames/frames.ts'
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
} from '../../support/http2-session.ts'

const message = frameMessage(Buffer.from('abc'))

describe('envoy/http2/data-frames', () => {
  for (const { name, frames } of [
    { name: 'in one frame', frames: [dataFrame(1, message)] },
    {
      name: 'byte by byte',
      frames: [...message].map((byte, at) => dataFrame(1, Buffer.from([byte]), at === 7 ? 1 : 0)),
    },
    { name: 'with an empty end', frames: [dataFrame(1, message, 0), dataFrame(1, Buffer.alloc(0))] },
    { name: 'with trailers', frames: [dataFrame(1, message, 0), headersFrame(1, 5, trailersOnly())] },
    {
      name: 'with padding',
      frames: [
        dataFrame(
          1,
          Buffer.concat([Buffer.from([9]), message, Buffer.alloc(9)]),
          flag.padded | flag.endStream,
        ),
      ],
    },
  ]) {
    it(`answers a message that comes ${name}`, () => {
      const test = createTestSession()
      test.hear(headersFrame(1), ...frames)
      expect(dataOf(test.frames(), 1)).to.deep.equal(message)
      expect(test.memory.usedBytes).to.equal(0)
    })
  }

  for (const { name, length, want } of [
    { name: 'less than its content-length', length: '9', want: [errorCode.protocolError] },
    { name: 'more than its content-length', length: '7', want: [errorCode.protocolError] },
    { name: 'its content-length', length: '8', want: [] },
  ]) {
    it(`judges a message of ${name}`, () => {
      const test = createTestSession()
      test.hear(headersFrame(1, flag.endHeaders, { 'content-length': length }), dataFrame(1, message))
      expect(resetCodes(test.frames())).to.deep.equal(want)
    })
  }

  it('refuses a message that is announced as too large before it has come', () => {
    const test = createTestSession({ maxMessageBytes: 1000 })
    test.hear(headersFrame(1), dataFrame(1, frameMessage(Buffer.alloc(1001)).subarray(0, 5), 0))
    const frames = test.frames()
    expect(dataOf(frames, 1)).to.deep.equal(echoRefusal('request_too_large'))
    expect(resetCodes(frames)).to.deep.equal([errorCode.noError])
    test.hear(dataFrame(1, Buffer.alloc(500), 0))
    expect(goawayCode(test.frames())).to.equal(undefined)
  })

  for (const { name, parts } of [
    { name: 'in its first frame', parts: [Buffer.alloc(256)] },
    { name: 'by one byte, later', parts: [message.subarray(0, 7), Buffer.from('cd')] },
    { name: 'after a prefix in pieces', parts: [Buffer.alloc(3), Buffer.alloc(3)] },
    { name: 'and is compressed', parts: [Buffer.alloc(256, 1).fill(0, 1, 5)] },
  ]) {
    it(`refuses a message that is longer than it says ${name} as soon as it is, as at its end`, () => {
      const test = createTestSession()
      test.hear(headersFrame(1), ...parts.map((part) => dataFrame(1, part, 0)))
      const frames = test.frames()
      expect(dataOf(frames, 1)).to.deep.equal(echoRefusal('request_malformed'))
      expect(resetCodes(frames)).to.deep.equal([errorCode.noError])
      expect(test.memory.usedBytes).to.equal(0)
      test.hear(headersFrame(3), dataFrame(3, Buffer.concat(parts)))
      expect(dataOf(test.frames(), 3)).to.deep.equal(echoRefusal('request_malformed'))
    })
  }

  for (const { name, end } of [
    { name: 'with its data', end: dataFrame(1, Buffer.alloc(300)) },
    { name: 'with trailers', end: headersFrame(1, 5, trailersOnly()) },
  ]) {
    it(`refuses a message once, though the window is closed to the refusal and the message ends ${name}`, () => {
      const test = createTestSession()
      test.hear(settingsFrame(0x4, 0), headersFrame(1))
      for (let part = 0; part < 5; part++) test.hear(dataFrame(1, Buffer.alloc(300), 0))
      test.hear(end, anyFrame('windowUpdate', 1, uint32(1000)))
      const frames = test.frames()
      expect(dataOf(frames, 1)).to.deep.equal(echoRefusal('request_malformed'))
      expect(resetCodes(frames)).to.deep.equal([])
      expect(test.memory.usedBytes).to.equal(0)
    })
  }

  it('drops what still comes of a refused message, and opens the connection’s window for it', () => {
    const test = createTestSession()
    test.hear(headersFrame(1), dataFrame(1, Buffer.alloc(256), 0))
    test.frames()
    for (let part = 0; part < 40; part++) test.hear(dataFrame(1, Buffer.alloc(16_000), 0))
    const updates = test.frames().filter(({ type }) => type === frameType.windowUpdate)
    expect(updates.map(({ streamId }) => streamId)).to.deep.equal([0])
    expect(test.memory.usedBytes).to.equal(0)
    test.hear(callFrames(3, 'a'))
    expect(statusOf(test.frames(), 3)).to.equal('0')
  })

  it('keeps nothing of a message that nobody will read', () => {
    const test = createTestSession()
    test.hear(headersFrame(1, flag.endHeaders, { ':path': '/nobody/Knows' }))
    const held = test.memory.usedBytes
    for (let part = 0; part < 10; part++) test.hear(dataFrame(1, Buffer.alloc(10_000), 0))
    expect(test.memory.usedBytes).to.equal(held)
    test.hear(dataFrame(1, Buffer.alloc(10_000)))
    expect(statusOf(test.frames(), 1)).to.equal('12')
  })

  it('takes a message of just the limit', () => {
    const test = createTestSession({ maxMessageBytes: 1000 })
    test.hear(callFrames(1, Buffer.alloc(1000)), callFrames(3, Buffer.alloc(1001)))
    const frames = test.frames()
    expect(dataOf(frames, 1)).to.have.length(1005)
    expect(dataOf(frames, 3)).to.deep.equal(echoRefusal('request_too_large'))
  })

  it('opens the windows again as data comes, so that a message may be larger than they are', () => {
    const test = createTestSession()
    test.hear(headersFrame(1))
    test.frames()
    const large = frameMessage(Buffer.alloc(2_000_000, 5))
    let granted = { connection: 1024 * 1024, stream: 65_535 }
    for (let at = 0; at < large.length; at += 16_000) {
      const part = large.subarray(at, at + 16_000)
      test.hear(dataFrame(1, part, at + 16_000 >= large.length ? flag.endStream : 0))
      const updates = test.frames().filter(({ type }) => type === frameType.windowUpdate)
      const sum = (id: number) =>
        updates
          .filter(({ streamId }) => streamId === id)
          .reduce((all, { payload }) => all + payload.readUInt32BE(), 0)
      granted = {
        connection: granted.connection - part.length + sum(0),
        stream: granted.stream - part.length + sum(1),
      }
      expect(granted.connection).to.be.within(0, 1024 * 1024)
      expect(granted.stream).to.be.within(0, 65_535)
    }
    expect(test.session.state).to.equal('open')
    expect(test.session.streams.size).to.equal(1)
  })

  it('counts against the windows what is padding, and ends what exceeds them', () => {
    const test = createTestSession()
    test.hear(headersFrame(1, flag.endHeaders, { ':path': '/unknown' }))
    test.session.streams.forEach((stream) => {
      stream.receiveWindow = 100
    })
    test.hear(dataFrame(1, Buffer.concat([Buffer.from([200]), Buffer.alloc(200)]), flag.padded))
    expect(resetCodes(test.frames())).to.deep.equal([errorCode.flowControlError])
    test.session.receiveWindow = 10
    test.hear(dataFrame(1, Buffer.alloc(11)))
    expect(goawayCode(test.frames())).to.equal(errorCode.flowControlError)
  })

  it('opens the windows again for what was only padding', () => {
    const test = createTestSession()
    test.hear(headersFrame(1))
    for (let part = 0; part < 600; part++) {
      test.hear(dataFrame(1, Buffer.concat([Buffer.from([255]), Buffer.alloc(255)]), flag.padded))
    }
    test.hear(dataFrame(1, message))
    const frames = test.frames()
    expect(statusOf(frames, 1)).to.equal('0')
    expect(resetCodes(frames)).to.deep.equal([])
  })

  it('tells a client to stop sending when its message finds no room (RFC 9113 §8.1)', () => {
    const test = createTestSession({ maxConnectionBytes: 2000 })
    test.hear(headersFrame(1), dataFrame(1, frameMessage(Buffer.alloc(5000)).subarray(0, 2000), 0))
    const frames = test.frames()
    expect(statusOf(frames, 1)).to.equal('0')
    expect(dataOf(frames, 1)).to.deep.equal(echoRefusal('overloaded'))
    expect(resetCodes(frames)).to.deep.equal([errorCode.noError])
    test.hear(dataFrame(1, Buffer.alloc(500), 0))
    expect(resetCodes(test.frames())).to.deep.equal([])
  })

  for (const { name, frame, code } of [
    { name: 'no stream', frame: dataFrame(0, message), code: errorCode.protocolError },
    { name: 'a stream that only we could open', frame: dataFrame(2, message), code: errorCode.protocolError },
    { name: 'a stream that never was', frame: dataFrame(5, message), code: errorCode.protocolError },
    {
      name: 'more padding than data',
      frame: dataFrame(1, Buffer.from([2, 0]), flag.padded),
      code: errorCode.protocolError,
    },
    {
      name: 'padding without its length',
      frame: anyFrame('data', 1, Buffer.alloc(0), flag.padded),
      code: errorCode.protocolError,
    },
  ]) {
    it(`ends a connection that sends data of ${name}`, () => {
      const test = createTestSession()
      test.hear(headersFrame(3), frame)
      expect(goawayCode(test.frames())).to.equal(code)
    })
  }

  it('resets a stream that goes on after its end', () => {
    const test = createTestSession(
      {},
      { [checkPath]: { kind: 'unary', answer: () => new Promise(() => {}) } },
    )
    test.hear(callFrames(1, 'a'), dataFrame(1, message))
    expect(resetCodes(test.frames())).to.deep.equal([errorCode.streamClosed])
  })
})

function trailersOnly() {
  return {
    ':method': undefined,
    ':scheme': undefined,
    ':path': undefined,
    'content-type': undefined,
    te: undefined,
    a: 'b',
  }
}
