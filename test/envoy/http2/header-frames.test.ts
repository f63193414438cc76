import { expect } from 'chai'
import { encodeFrame, errorCode, flag, frameType } from '../../../src/envoy/http2/frames/frames.ts'
import { encodeHeaderBlock } from '../../../src/envoy/http2/hpack/encoder.ts'
import { frameMessage } from '../../../src/envoy/unary-message.ts'
import {
  anyFrame,
  callFrames,
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

const request = encodeHeaderBlock([
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/envoy.service.auth.v3.Authorization/Check'],
  ['content-type', 'application/grpc'],
])
const message = frameMessage(Buffer.from('a'))

describe('envoy/http2/header-frames', () => {
  for (const { name, frames } of [
    { name: 'in one frame', frames: [encodeFrame(frameType.headers, flag.endHeaders, 1, request)] },
    {
      name: 'in three frames, cut anywhere',
      frames: [
        encodeFrame(frameType.headers, 0, 1, request.subarray(0, 3)),
        anyFrame('continuation', 1, request.subarray(3, 20)),
        anyFrame('continuation', 1, request.subarray(20), flag.endHeaders),
      ],
    },
    {
      name: 'with a priority and padding',
      frames: [
        encodeFrame(
          frameType.headers,
          flag.endHeaders | flag.padded | flag.priority,
          1,
          Buffer.concat([Buffer.from([2, 0, 0, 0, 3, 7]), request, Buffer.alloc(2)]),
        ),
      ],
    },
  ]) {
    it(`reads a head that comes ${name}`, () => {
      const test = createTestSession()
      test.hear(...frames, dataFrame(1, message))
      expect(statusOf(test.frames(), 1)).to.equal('0')
      expect(test.memory.usedBytes).to.equal(0)
    })
  }

  for (const { name, frames, code } of [
    { name: 'an even stream', frames: [headersFrame(2)], code: errorCode.protocolError },
    { name: 'stream 0', frames: [headersFrame(0)], code: errorCode.protocolError },
    {
      name: 'a stream that has ended',
      frames: [callFrames(3, 'a'), headersFrame(3)],
      code: errorCode.streamClosed,
    },
    { name: 'a second head', frames: [headersFrame(1), headersFrame(1)], code: errorCode.protocolError },
    { name: 'CONTINUATION of nothing', frames: [anyFrame('continuation', 1)], code: errorCode.protocolError },
    {
      name: 'CONTINUATION of another stream',
      frames: [headersFrame(1, 0), anyFrame('continuation', 3)],
      code: errorCode.protocolError,
    },
    {
      name: 'another frame within a head',
      frames: [headersFrame(1, 0), anyFrame('ping', 0, Buffer.alloc(8))],
      code: errorCode.protocolError,
    },
    {
      name: 'a head that is no HPACK',
      frames: [encodeFrame(frameType.headers, flag.endHeaders, 1, Buffer.from([0x80]))],
      code: errorCode.compressionError,
    },
    {
      name: 'a priority that is cut off',
      frames: [encodeFrame(frameType.headers, flag.endHeaders | flag.priority, 1, Buffer.alloc(4))],
      code: errorCode.frameSizeError,
    },
  ]) {
    it(`ends a connection that sends ${name}`, () => {
      const test = createTestSession()
      test.hear(...frames)
      expect(goawayCode(test.frames())).to.equal(code)
    })
  }

  for (const { name, overlay } of [
    { name: 'without a path', overlay: { ':path': undefined } },
    { name: 'with a field of HTTP/1.1', overlay: { connection: 'close' } },
  ]) {
    it(`resets a call ${name}, and goes on`, () => {
      const test = createTestSession()
      test.hear(headersFrame(1, flag.endHeaders, overlay), dataFrame(1, message), callFrames(3, 'a'))
      const frames = test.frames()
      expect(resetCodes(frames)).to.deep.equal([errorCode.protocolError])
      expect(statusOf(frames, 3)).to.equal('0')
    })
  }

  for (const { name, overlay, status } of [
    { name: 'GET', overlay: { ':method': 'GET' }, status: '415' },
    { name: 'JSON', overlay: { 'content-type': 'application/json' }, status: '415' },
    { name: 'gRPC for browsers', overlay: { 'content-type': 'application/grpc-web' }, status: '415' },
    {
      name: 'gRPC with its usual suffix',
      overlay: { 'content-type': 'application/grpc+proto' },
      status: '200',
    },
    { name: 'gRPC with a parameter', overlay: { 'content-type': 'application/grpc;a=b' }, status: '200' },
    { name: 'an unknown method', overlay: { ':path': '/a/B' }, status: '200' },
  ]) {
    it(`answers ${name} with ${status}`, () => {
      const test = createTestSession()
      test.hear(headersFrame(1, flag.endHeaders, overlay), dataFrame(1, message))
      const head = test.frames().find(({ type, streamId }) => type === frameType.headers && streamId === 1)
      expect(head?.headers[':status']).to.equal(status)
    })
  }

  for (const { name, overlay, prepare, code } of [
    { name: 'by an answer that denies', overlay: {}, prepare: [], code: errorCode.noError },
    {
      name: 'by a reset, of a method that cannot deny',
      overlay: { ':path': '/a/B' },
      prepare: [],
      code: errorCode.refusedStream,
    },
    {
      name: 'by a reset, where the window is closed to an answer',
      overlay: {},
      prepare: [settingsFrame(0x4, 0)],
      code: errorCode.refusedStream,
    },
  ]) {
    it(`refuses a head for which there is no room ${name}, and goes on`, () => {
      const test = createTestSession({ maxConnectionBytes: 100 })
      test.hear(...prepare, headersFrame(1, flag.endHeaders, overlay), dataFrame(1, message))
      const frames = test.frames()
      const answer = code === errorCode.noError ? echoRefusal('overloaded') : Buffer.alloc(0)
      expect(dataOf(frames, 1)).to.deep.equal(answer)
      expect(resetCodes(frames)).to.deep.equal([code])
      expect(test.session.state).to.equal('open')
      expect(test.memory.usedBytes).to.equal(0)
    })
  }

  it('keeps HPACK’s table in step through calls that it refuses', () => {
    const test = createTestSession({ maxStreams: 1 })
    const kept = Buffer.concat([request, Buffer.from('4001610162', 'hex')])
    test.hear(headersFrame(1), encodeFrame(frameType.headers, flag.endHeaders, 3, kept))
    expect(resetCodes(test.frames())).to.deep.equal([errorCode.refusedStream])
    test.hear(dataFrame(1, message))
    test.hear(
      encodeFrame(frameType.headers, flag.endHeaders, 5, Buffer.concat([request, Buffer.from([0xbe])])),
    )
    test.hear(dataFrame(5, message))
    expect(statusOf(test.frames(), 5)).to.equal('0')
  })

  it('resets a call whose list is too large, and goes on', () => {
    const test = createTestSession({ maxHeaderListBytes: 500 })
    test.hear(headersFrame(1, flag.endHeaders, { large: 'a'.repeat(500) }), callFrames(3, 'a'))
    const frames = test.frames()
    expect(resetCodes(frames)).to.deep.equal([errorCode.enhanceYourCalm])
    expect(statusOf(frames, 3)).to.equal('0')
  })
})
