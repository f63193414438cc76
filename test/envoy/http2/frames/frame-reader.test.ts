import { expect } from 'chai'
import {
  createFrameReader,
  isWithinFrame,
  preface,
  readFrames,
} from '../../../../src/envoy/http2/frames/frame-reader.ts'
import { encodeFrame, errorCode, maxFrameBytes } from '../../../../src/envoy/http2/frames/frames.ts'

describe('envoy/http2/frames/frame-reader', () => {
  const frame = encodeFrame(0x6, 0x1, 0x7fff_ffff, Buffer.from('payload.'))

  it('reads type, flags, stream and payload', () => {
    const seen: unknown[] = []
    readFrames(
      createFrameReader(),
      Buffer.concat([preface, frame]),
      ({ type, flags, streamId, bytes, start, end }) => {
        seen.push([type, flags, streamId, bytes.subarray(start, end).toString()])
        return undefined
      },
    )
    expect(seen).to.deep.equal([[6, 1, 0x7fff_ffff, 'payload.']])
  })

  it('leaves out the reserved bit of a stream', () => {
    const reserved = Buffer.from(frame)
    reserved[5] = 0xff
    const seen: number[] = []
    readFrames(createFrameReader(), Buffer.concat([preface, reserved]), ({ streamId }) => {
      seen.push(streamId)
      return undefined
    })
    expect(seen).to.deep.equal([0x7fff_ffff])
  })

  it('stops at the first error', () => {
    let frames = 0
    const fault = readFrames(createFrameReader(), Buffer.concat([preface, frame, frame]), () => {
      frames++
      return errorCode.internalError
    })
    expect({ fault, frames }).to.deep.equal({ fault: errorCode.internalError, frames: 1 })
  })

  it('says whether a frame has begun', () => {
    const reader = createFrameReader()
    const within = [preface, frame.subarray(0, 3), frame.subarray(3, 12), frame.subarray(12)].map((chunk) => {
      readFrames(reader, chunk, () => undefined)
      return isWithinFrame(reader)
    })
    expect(within).to.deep.equal([false, true, true, false])
    expect(reader.parts).to.equal(1)
  })

  it('lets bytes be kept: no later chunk is written over them', () => {
    const reader = createFrameReader()
    const kept: Buffer[] = []
    const onFrame = ({ bytes, start, end }: { bytes: Buffer; start: number; end: number }) => {
      kept.push(bytes.subarray(start, end))
      return undefined
    }
    readFrames(reader, preface, onFrame)
    for (const text of ['11111111', '22222222']) {
      const whole = encodeFrame(0, 0, 1, Buffer.from(text))
      readFrames(reader, whole.subarray(0, 11), onFrame)
      readFrames(reader, whole.subarray(11), onFrame)
    }
    expect(kept.map(String)).to.deep.equal(['11111111', '22222222'])
  })

  for (const cut of [0, 5]) {
    it(`refuses a frame that is too large before its payload comes, cut after ${cut} bytes`, () => {
      const reader = createFrameReader()
      readFrames(reader, preface, () => undefined)
      const head = Buffer.from([0, 0x40, 1, 0, 0, 0, 0, 0, 1])
      readFrames(reader, head.subarray(0, cut), () => undefined)
      expect(readFrames(reader, head.subarray(cut), () => undefined)).to.equal(errorCode.frameSizeError)
    })
  }

  it('takes a frame of the largest size', () => {
    let size = 0
    const largest = encodeFrame(0, 0, 1, Buffer.alloc(maxFrameBytes))
    readFrames(createFrameReader(), Buffer.concat([preface, largest]), ({ start, end }) => {
      size = end - start
      return undefined
    })
    expect(size).to.equal(maxFrameBytes)
  })
})
