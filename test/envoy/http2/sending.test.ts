import { expect } from 'chai'
import { flag, frameType, uint32 } from '../../../src/envoy/http2/frames/frames.ts'
import { createHealth } from '../../../src/envoy/http2/grpc/health.ts'
import { frameMessage } from '../../../src/envoy/unary-message.ts'
import {
  anyFrame,
  callFrames,
  createTestSession,
  dataOf,
  type SeenFrame,
  settingsFrame,
  statusOf,
  watchPath,
} from '../../support/http2-session.ts'

const sizesOf = (frames: readonly SeenFrame[], streamId: number) =>
  frames
    .filter((frame) => frame.type === frameType.data && frame.streamId === streamId)
    .map(({ payload }) => payload.length)
const grant = (streamId: number, bytes: number) => anyFrame('windowUpdate', streamId, uint32(bytes))

describe('envoy/http2/sending', () => {
  it('answers in one write: head, data, end', () => {
    const test = createTestSession()
    test.frames()
    test.hear(callFrames(1, 'abc'))
    const frames = test.frames()
    expect(frames.map(({ type, flags }) => [type, flags])).to.deep.equal([
      [frameType.headers, flag.endHeaders],
      [frameType.data, 0],
      [frameType.headers, flag.endHeaders | flag.endStream],
    ])
    expect(frames[0]?.headers).to.deep.equal({ ':status': '200', 'content-type': 'application/grpc' })
  })

  it('goes on byte by byte as the stream’s window opens, and ends when all is sent', () => {
    const test = createTestSession()
    test.hear(settingsFrame(0x4, 0), callFrames(1, 'ab'))
    expect(sizesOf(test.frames(), 1)).to.deep.equal([])
    const sent: unknown[] = []
    for (let byte = 0; byte < 7; byte++) {
      test.hear(grant(1, 1))
      const frames = test.frames()
      sent.push([dataOf(frames, 1).length, statusOf(frames, 1)])
    }
    expect(sent).to.deep.equal([...Array.from({ length: 6 }, () => [1, undefined]), [1, '0']])
  })

  it('cuts a large answer into frames that every peer takes', () => {
    const test = createTestSession()
    test.hear(settingsFrame(0x4, 1_000_000), grant(0, 1_000_000))
    const message = Buffer.alloc(12_000, 1)
    test.hear(callFrames(1, message))
    test.hear(callFrames(3, Buffer.alloc(16_379, 2)))
    const frames = test.frames()
    expect(sizesOf(frames, 1)).to.deep.equal([12_005])
    expect(sizesOf(frames, 3)).to.deep.equal([16_384])
    expect(dataOf(frames, 1)).to.deep.equal(frameMessage(message))
  })

  it('waits for the connection’s window, and serves in turn those that waited', () => {
    const test = createTestSession()
    test.hear(callFrames(1, Buffer.alloc(16_000)), callFrames(3, Buffer.alloc(16_000)))
    test.hear(callFrames(5, Buffer.alloc(16_000)), callFrames(7, Buffer.alloc(16_000)))
    test.hear(callFrames(9, Buffer.alloc(8000)), callFrames(11, 'a'))
    const early = test.frames()
    expect([7, 9, 11].map((id) => statusOf(early, id))).to.deep.equal(['0', undefined, undefined])
    test.hear(grant(0, 6490))
    const later = test.frames()
    expect([9, 11].map((id) => statusOf(later, id))).to.deep.equal(['0', undefined])
    test.hear(grant(0, 100))
    expect(statusOf(test.frames(), 11)).to.equal('0')
  })

  it('does not let one stream’s closed window hold up another', () => {
    const test = createTestSession()
    test.hear(settingsFrame(0x4, 0), callFrames(1, 'a'), callFrames(3, 'b'), grant(3, 100))
    const frames = test.frames()
    expect(statusOf(frames, 1)).to.equal(undefined)
    expect(statusOf(frames, 3)).to.equal('0')
  })

  it('moves open windows with SETTINGS, below zero and back, and acknowledges before it goes on', () => {
    const test = createTestSession()
    test.hear(settingsFrame(0x4, 10), callFrames(1, Buffer.alloc(20)))
    expect(dataOf(test.frames(), 1)).to.have.length(10)
    test.hear(settingsFrame(0x4, 5), grant(1, 5))
    expect(dataOf(test.frames(), 1)).to.have.length(0)
    test.hear(settingsFrame(0x4, 30))
    const types = test.frames().map(({ type }) => type)
    expect(types).to.deep.equal([frameType.settings, frameType.data, frameType.headers])
  })

  it('tells a peer once that its smaller table is empty', () => {
    const test = createTestSession()
    test.frames()
    test.hear(settingsFrame(0x1, 0), callFrames(1, 'a'), callFrames(3, 'a'))
    const heads = test.frames().filter(({ type }) => type === frameType.headers)
    expect(heads.map(({ payload }) => payload[0] === 0x20)).to.deep.equal([true, false, false, false])
  })

  it('replaces what a watcher has not taken by what is true now', () => {
    const health = createHealth()
    const test = createTestSession({}, { [watchPath]: health.watch })
    test.hear(settingsFrame(0x4, 7), callFrames(1, '', watchPath))
    for (const isServing of [true, false, true, false, true]) health.setServing(isServing)
    test.hear(grant(1, 100))
    const statuses = [...dataOf(test.frames(), 1)].filter((_, index) => index % 7 === 6)
    expect(statuses).to.deep.equal([2, 1, 1])
    test.hear(anyFrame('rstStream', 1, uint32(8)))
    health.setServing(false)
    expect(test.memory.usedBytes).to.equal(0)
  })
})
