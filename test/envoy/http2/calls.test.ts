import { expect } from 'chai'
import { flag, uint32 } from '../../../src/envoy/http2/frames/frames.ts'
import type { Method } from '../../../src/envoy/http2/grpc/method.ts'
import { frameMessage } from '../../../src/envoy/unary-message.ts'
import {
  anyFrame,
  callFrames,
  checkPath,
  createTestSession,
  dataFrame,
  dataOf,
  echo,
  echoRefusal,
  headersFrame,
  statusOf,
} from '../../support/http2-session.ts'

const message = frameMessage(Buffer.from('abc'))

describe('envoy/http2/calls', () => {
  const malformed = 'request_malformed' as const
  for (const { name, request, code, status } of [
    {
      name: 'announces too much',
      request: frameMessage(Buffer.alloc(1001)),
      code: 'request_too_large' as const,
      status: '8',
    },
    { name: 'is cut off', request: message.subarray(0, 7), code: malformed, status: '13' },
    { name: 'is compressed', request: Buffer.from([1, 0, 0, 0, 0]), code: malformed, status: '12' },
    { name: 'is none', request: Buffer.alloc(0), code: malformed, status: '13' },
  ]) {
    it(`refuses a message that ${name} by the answer of its method, which alone denies, or else says why`, () => {
      const methods = {
        [checkPath]: echo,
        '/without/One': { kind: 'unary', answer: (bytes: Uint8Array) => bytes } as const,
      }
      const test = createTestSession({ maxMessageBytes: 1000 }, methods)
      test.hear(headersFrame(1), dataFrame(1, request))
      test.hear(headersFrame(3, flag.endHeaders, { ':path': '/without/One' }), dataFrame(3, request))
      const frames = test.frames()
      expect(dataOf(frames, 1)).to.deep.equal(echoRefusal(code))
      expect([1, 3].map((id) => statusOf(frames, id))).to.deep.equal(['0', status])
    })
  }

  for (const { name, type, wants } of [
    { name: 'lets a client cancel calls all the time', type: 'rstStream', wants: 'open' },
    {
      name: 'ends a connection that makes us reset calls (CVE-2025-8671)',
      type: 'windowUpdate',
      wants: 'closed',
    },
  ] as const) {
    it(`${name}, when their work is soon done`, async () => {
      const pending: ((message: Uint8Array) => void)[] = []
      const method: Method = { kind: 'unary', answer: () => new Promise((resolve) => pending.push(resolve)) }
      const test = createTestSession({}, { [checkPath]: method })
      for (let streamId = 1; streamId < 10_000; streamId += 2) {
        test.hear(callFrames(streamId, 'a'), anyFrame(type, streamId, uint32(0)))
        for (const settle of pending.splice(0)) settle(Buffer.alloc(0))
        await Promise.resolve()
      }
      expect(test.session.state).to.equal(wants)
      expect(test.session.bucket.tokens).to.be.at.most(test.session.limits.controlBurst)
    })
  }
})
