import { expect } from 'chai'
import { preface } from '../../../src/envoy/http2/frames/frame-reader.ts'
import { errorCode, flag, frameType } from '../../../src/envoy/http2/frames/frames.ts'
import { frameMessage } from '../../../src/envoy/unary-message.ts'
import {
  anyFrame,
  callFrames,
  createTestSession,
  dataFrame,
  dataOf,
  goawayCode,
  headersFrame,
  settingsFrame,
  statusOf,
} from '../../support/http2-session.ts'
import { createRandom, seed } from '../../support/random.ts'

/** A conversation with everything in it that an honest client sends. */
const conversation = Buffer.concat([
  preface,
  settingsFrame(0x4, 100_000),
  anyFrame('windowUpdate', 0, Buffer.from([0, 1, 0, 0])),
  callFrames(1, 'one'),
  anyFrame('ping', 0, Buffer.from('12345678')),
  headersFrame(3, 0).subarray(0),
  anyFrame('continuation', 3, Buffer.from([0, 1, 0x61, 1, 0x62]), flag.endHeaders),
  dataFrame(3, frameMessage(Buffer.alloc(40_000, 7)).subarray(0, 9000), 0),
  dataFrame(3, frameMessage(Buffer.alloc(40_000, 7)).subarray(9000, 20_000), 0),
  callFrames(5, 'between'),
  dataFrame(3, frameMessage(Buffer.alloc(40_000, 7)).subarray(20_000, 35_000), 0),
  dataFrame(3, frameMessage(Buffer.alloc(40_000, 7)).subarray(35_000)),
  anyFrame('settings', 0, Buffer.alloc(0), flag.ack),
  callFrames(7, 'unknown', '/nobody/Knows'),
  headersFrame(9),
  anyFrame('rstStream', 9, Buffer.from([0, 0, 0, 8])),
  callFrames(11, ''),
])

describe('envoy/http2/receiving', () => {
  const answerTo = (chunks: readonly Buffer[]) => {
    const test = createTestSession({}, undefined, false)
    for (const chunk of chunks) test.hear(chunk)
    return test.sentBytes()
  }
  const whole = answerTo([conversation])

  it('answers a whole conversation', () => {
    const test = createTestSession({}, undefined, false)
    test.hear(conversation)
    const frames = test.frames()
    expect(dataOf(frames, 1)).to.deep.equal(frameMessage(Buffer.from('one')))
    expect(dataOf(frames, 3)).to.deep.equal(frameMessage(Buffer.alloc(40_000, 7)))
    expect(dataOf(frames, 5)).to.deep.equal(frameMessage(Buffer.from('between')))
    expect(dataOf(frames, 11)).to.deep.equal(frameMessage(Buffer.alloc(0)))
    expect([1, 3, 5, 7, 9, 11].map((id) => statusOf(frames, id))).to.deep.equal([
      '0',
      '0',
      '0',
      '12',
      undefined,
      '0',
    ])
    expect(goawayCode(frames)).to.equal(undefined)
  })

  it('answers the same, byte for byte, when every byte comes alone', () => {
    const chunks = [...conversation].map((byte) => Buffer.from([byte]))
    expect(answerTo(chunks).equals(whole)).to.equal(true)
  })

  it(`answers the same, byte for byte, however the network splits it (SEED=${seed})`, () => {
    const random = createRandom(seed)
    for (let run = 0; run < 500; run++) {
      const cuts = Array.from({ length: random(30) }, () => random(conversation.length)).sort((a, b) => a - b)
      const chunks = [0, ...cuts].map((cut, index) => conversation.subarray(cut, cuts[index]))
      expect(answerTo(chunks).equals(whole), `run ${run}`).to.equal(true)
    }
  })

  for (const { name, bytes, code } of [
    { name: 'HTTP/1.1', bytes: Buffer.from('GET / HTTP/1.1\r\n\r\n'), code: errorCode.protocolError },
    {
      name: 'a frame before SETTINGS',
      bytes: Buffer.concat([preface, callFrames(1, '')]),
      code: errorCode.protocolError,
    },
    {
      name: 'a frame larger than allowed',
      bytes: Buffer.concat([preface, Buffer.from([0, 0x40, 1, 4, 0, 0, 0, 0, 0])]),
      code: errorCode.frameSizeError,
    },
    {
      name: 'a push',
      bytes: Buffer.concat([preface, settingsFrame(0x4, 1), anyFrame('pushPromise', 1)]),
      code: errorCode.protocolError,
    },
  ]) {
    it(`ends a connection that brings ${name}`, () => {
      const test = createTestSession({}, undefined, false)
      test.hear(bytes)
      expect(goawayCode(test.frames())).to.equal(code)
      expect(test.link.isEnded).to.equal(true)
    })
  }

  it('ignores frames of a type that it does not know', () => {
    const test = createTestSession()
    test.hear(Buffer.from([0, 0, 1, 0xbe, 0, 0, 0, 0, 0, 0]), callFrames(1, 'a'))
    expect(statusOf(test.frames(), 1)).to.equal('0')
  })

  it('hears nothing after the end', () => {
    const test = createTestSession()
    test.hear(anyFrame('data', 1))
    test.frames()
    test.hear(callFrames(1, 'a'))
    expect(test.frames()).to.deep.equal([])
  })

  it('begins with SETTINGS and a larger window', () => {
    const types = createTestSession({}, undefined, false)
      .frames()
      .map(({ type }) => type)
    expect(types).to.deep.equal([frameType.settings, frameType.windowUpdate])
  })
})
