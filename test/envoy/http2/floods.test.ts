import { expect } from 'chai'
import { preface } from '../../../src/envoy/http2/frames/frame-reader.ts'
import { encodeFrame, errorCode, flag, frameType, uint32 } from '../../../src/envoy/http2/frames/frames.ts'
import type { Method } from '../../../src/envoy/http2/grpc/method.ts'
import { frameMessage } from '../../../src/envoy/unary-message.ts'
import {
  anyFrame,
  callFrames,
  checkPath,
  createTestSession,
  dataFrame,
  goawayCode,
  headersFrame,
  headersWith,
  keptField,
  namedField,
  resetCodes,
  settingsFrame,
  type TestSession,
} from '../../support/http2-session.ts'

const never: Method = { kind: 'unary', answer: () => new Promise(() => {}) }
const ping = anyFrame('ping', 0, Buffer.alloc(8))
const reset = (streamId: number) => anyFrame('rstStream', streamId, uint32(errorCode.cancel))
const odd = (index: number) => index * 2 + 1

/** A field that is kept, and a block that names it again and again. */
const bomb = Buffer.concat([keptField('b', 4000), namedField(4000)])

type Flood = {
  readonly name: string
  /** The bytes of the frames that come as the `index`th. */
  readonly frames: (index: number) => Buffer
  readonly prepare?: (test: TestSession) => void
  readonly method?: Method
  readonly atMost?: number
}

const floods: readonly Flood[] = [
  {
    name: 'calls that are reset at once (CVE-2023-44487)',
    frames: (index) => Buffer.concat([headersFrame(odd(index)), reset(odd(index))]),
  },
  {
    name: 'calls under way that are reset',
    frames: (index) => Buffer.concat([callFrames(odd(index), 'a'), reset(odd(index))]),
    method: never,
  },
  {
    name: 'calls that we are made to reset (CVE-2025-8671)',
    frames: (index) =>
      Buffer.concat([headersFrame(odd(index)), anyFrame('windowUpdate', odd(index), uint32(0))]),
  },
  {
    name: 'calls whose window is made to overflow',
    frames: (index) =>
      Buffer.concat([headersFrame(odd(index)), anyFrame('windowUpdate', odd(index), uint32(0x7fff_ffff))]),
  },
  {
    name: 'malformed calls',
    frames: (index) => headersFrame(odd(index), flag.endHeaders, { ':path': undefined }),
  },
  {
    name: 'CONTINUATION without end (CVE-2024-27983)',
    frames: (index) =>
      index === 0 ? headersFrame(1, 0) : anyFrame('continuation', 1, Buffer.alloc(1000, 0x88)),
  },
  {
    name: 'empty CONTINUATION without end',
    frames: (index) => (index === 0 ? headersFrame(1, 0) : anyFrame('continuation', 1)),
  },
  {
    name: 'header lists that unfold (HPACK bomb)',
    atMost: 25,
    frames: (index) => encodeFrame(frameType.headers, flag.endHeaders, odd(index), bomb),
  },
  {
    name: 'header lists of many small fields',
    atMost: 25,
    frames: (index) => encodeFrame(frameType.headers, flag.endHeaders, odd(index), Buffer.alloc(8000, 0x90)),
  },
  { name: 'SETTINGS', frames: () => settingsFrame(0x4, 1000) },
  { name: 'SETTINGS acknowledgements', frames: () => anyFrame('settings', 0, Buffer.alloc(0), flag.ack) },
  { name: 'PING', frames: () => ping },
  { name: 'PING acknowledgements', frames: () => anyFrame('ping', 0, Buffer.alloc(8), flag.ack) },
  { name: 'PRIORITY', frames: () => anyFrame('priority', 1, Buffer.alloc(5)) },
  { name: 'GOAWAY', frames: () => anyFrame('goaway', 0, Buffer.alloc(8)) },
  {
    name: 'empty DATA',
    frames: () => dataFrame(1, Buffer.alloc(0), 0),
    prepare: (test) => test.hear(headersFrame(1)),
  },
  {
    name: 'more than a message announces',
    frames: () => dataFrame(1, Buffer.alloc(256), 0),
    prepare: (test) => test.hear(headersFrame(1)),
  },
  {
    name: 'a message byte by byte',
    frames: () => dataFrame(1, Buffer.from([0]), 0),
    prepare: (test) => test.hear(headersFrame(1)),
  },
  { name: 'WINDOW_UPDATE', frames: () => anyFrame('windowUpdate', 0, uint32(1)) },
  {
    name: 'DATA of streams that are gone',
    frames: () => dataFrame(1, Buffer.from('a'), 0),
    prepare: (test) => test.hear(callFrames(1, 'a')),
  },
  { name: 'frames of unknown types', frames: () => encodeFrame(0xbe, 0, 0, Buffer.alloc(0)) },
]

describe('envoy/http2, floods', () => {
  for (const { name, frames, prepare, method, atMost = 1100 } of floods) {
    it(`ends a connection that sends ${name}, after a bounded number and without keeping anything`, () => {
      const test = createTestSession({}, method === undefined ? undefined : { [checkPath]: method })
      prepare?.(test)
      let index = 0
      for (; index < 5000 && test.session.state !== 'closed'; index++) test.hear(frames(index))
      expect(test.session.state).to.equal('closed')
      expect(index).to.be.at.most(atMost)
      expect(goawayCode(test.frames())).to.equal(errorCode.enhanceYourCalm)
      expect(test.link.isEnded).to.equal(true)
      expect(test.memory.usedBytes).to.equal(0)
    })
  }

  it('lets a client ping that has its calls answered, as grpc-go does for every window', () => {
    const test = createTestSession()
    for (let index = 0; index < 5000; index++) test.hear(callFrames(odd(index), 'a'), ping, ping)
    expect(test.session.state).to.equal('open')
  })

  it('lets a client open its windows for each answer, and for each part of a large one', () => {
    const test = createTestSession()
    for (let index = 0; index < 3000; index++) {
      const windows = [0, odd(index)].map((id) => anyFrame('windowUpdate', id, uint32(16_000)))
      test.hear(callFrames(odd(index), Buffer.alloc(index % 2 === 0 ? 10 : 15_000)), ...windows)
    }
    expect(test.session.state).to.equal('open')
  })

  it('lets a client cancel some calls all day long', () => {
    const test = createTestSession({}, { [checkPath]: never })
    for (let index = 0; index < 5000; index++) {
      test.hear(callFrames(odd(index), 'a'), reset(odd(index)))
      test.session.orphans = 0
      test.clock.elapsedMs += 15
    }
    expect(test.session.state).to.equal('open')
  })

  it('takes no more calls than its limit, those among them whose stream is gone but whose work is not', () => {
    const test = createTestSession({ maxStreams: 10 }, { [checkPath]: never })
    for (let index = 0; index < 100; index++) test.hear(callFrames(odd(index), 'a'), reset(odd(index)))
    const codes = resetCodes(test.frames())
    expect(codes).to.have.length(90)
    expect(new Set(codes)).to.deep.equal(new Set([errorCode.refusedStream]))
    expect(test.session.orphans).to.equal(10)
  })

  it('forgives calls above a limit that the client cannot know yet', () => {
    const test = createTestSession({ maxStreams: 10 }, { [checkPath]: never }, false)
    test.hear(preface, anyFrame('settings', 0))
    for (let index = 0; index < 5000; index++) test.hear(callFrames(odd(index), 'a'))
    expect(test.session.state).to.equal('open')
    test.hear(anyFrame('settings', 0, Buffer.alloc(0), flag.ack))
    for (let index = 5000; index < 7000; index++) test.hear(callFrames(odd(index), 'a'))
    expect(goawayCode(test.frames())).to.equal(errorCode.enhanceYourCalm)
  })

  it('does not forgive them for ever', () => {
    const test = createTestSession({ maxStreams: 0 }, undefined, false)
    test.hear(preface, anyFrame('settings', 0))
    for (let index = 0; index < 20_000; index++) test.hear(headersFrame(odd(index)))
    expect(goawayCode(test.frames())).to.equal(errorCode.enhanceYourCalm)
  })

  it('holds requests that never end only up to its budget, and says so in an answer', () => {
    const test = createTestSession({ maxConnectionBytes: 1_000_000 })
    const part = frameMessage(Buffer.alloc(60_000)).subarray(0, 16_000)
    for (let index = 0; index < 200; index++) {
      test.hear(headersFrame(odd(index)), dataFrame(odd(index), part, 0))
      expect(test.memory.usedBytes).to.be.at.most(1_000_000)
    }
    const text = Buffer.concat(test.frames().map(({ payload }) => payload)).toString('latin1')
    expect(text).to.include('overloaded')
  })

  it('holds heads that nothing follows only up to its budget', () => {
    const test = createTestSession({ maxConnectionBytes: 1_000_000 })
    for (let index = 0; index < 900; index++) {
      test.hear(headersFrame(odd(index), flag.endHeaders, { large: 'a'.repeat(10_000) }))
    }
    expect(test.memory.usedBytes).to.be.within(900_000, 1_000_000)
    expect(test.session.streams.size).to.be.below(100)
  })

  it('counts a field that many heads name for what it is, so that a few bytes do not use its budget up', () => {
    const test = createTestSession({ maxConnectionBytes: 1_000_000 })
    test.hear(headersWith(1, keptField('b', 4000)))
    for (let index = 1; index < 600; index++) test.hear(headersWith(odd(index), namedField(15)))
    expect(test.session.streams.size).to.equal(600)
    for (let index = 0; index < 600; index++) test.hear(reset(odd(index)))
    expect(test.memory.usedBytes).to.equal(0)
  })

  it('counts a field that a head holds, though nobody else does and the table has let go of it', () => {
    const test = createTestSession({ maxConnectionBytes: 1_000_000 })
    for (let index = 0; index < 400; index++) {
      const [brings, holds] = [odd(2 * index), odd(2 * index + 1)]
      test.hear(headersWith(brings, keptField('b', 4000)), dataFrame(brings, frameMessage(Buffer.alloc(0))))
      test.hear(headersWith(holds, namedField(1)))
    }
    expect(test.memory.usedBytes).to.be.within(990_000, 1_000_000)
    expect(test.session.streams.size).to.be.within(150, 240)
  })

  it('keeps one budget for all connections', () => {
    const test = createTestSession({ maxTotalBytes: 10_000 })
    test.memory.usedBytes = 9_900
    test.hear(headersFrame(1))
    expect(test.session.streams.size).to.equal(0)
    expect(test.memory.usedBytes).to.equal(9_900)
  })

  it('holds a byte at a time as little as bytes together', () => {
    const test = createTestSession()
    const message = frameMessage(Buffer.alloc(900, 1))
    test.hear(headersFrame(1))
    for (const byte of message) test.hear(dataFrame(1, Buffer.from([byte]), 0))
    expect(test.memory.usedBytes).to.be.below(4096 + 2000)
    test.hear(dataFrame(1, Buffer.alloc(0)))
    expect(test.memory.usedBytes).to.equal(0)
  })

  it('stops reading from a peer that does not read, and drops it when answers pile up', () => {
    const test = createTestSession({ pauseAboveBytes: 10_000, maxConnectionBytes: 100_000 })
    test.link.takes = false
    let calls = 0
    while (test.link.isReading) test.hear(callFrames(odd(calls++), Buffer.alloc(500)))
    expect(test.link.unsent).to.be.within(10_000, 12_000)
    while (!test.link.isDestroyed && calls < 5000) test.hear(callFrames(odd(calls++), Buffer.alloc(500)))
    expect(test.memory.usedBytes).to.be.at.most(100_000)
  })

  it('holds answers that a closed window keeps back only up to its budget', () => {
    const test = createTestSession({ maxConnectionBytes: 100_000 })
    test.hear(settingsFrame(0x4, 0))
    for (let index = 0; index < 900; index++) test.hear(callFrames(odd(index), Buffer.alloc(1000)))
    expect(test.memory.usedBytes).to.be.at.most(100_000)
    expect(test.session.streams.size).to.be.below(100)
  })
})
