import { expect } from 'chai'
import { claimedBytes, frameMessage, grpcStatus, parseMessage } from '../../src/envoy/unary-message.ts'

describe('envoy/unary-message', () => {
  for (const size of [0, 1, 300]) {
    it(`reads back a message of ${size} bytes`, () => {
      const message = Buffer.alloc(size, 1)
      expect(parseMessage(frameMessage(message), 1000)).to.deep.equal(message)
      expect(claimedBytes(frameMessage(message))).to.equal(size)
    })
  }

  for (const { name, request, status } of [
    { name: 'a message that is too large', request: '00000003e9', status: grpcStatus.resourceExhausted },
    { name: 'nothing', request: '', status: grpcStatus.internal },
    { name: 'a prefix that is cut off', request: '00000000', status: grpcStatus.internal },
    { name: 'a message that is cut off', request: '000000000261', status: grpcStatus.internal },
    { name: 'two messages', request: '00000000000000000000', status: grpcStatus.internal },
    { name: 'a compressed message', request: '010000000161', status: grpcStatus.unimplemented },
  ]) {
    it(`refuses ${name}`, () => {
      expect(parseMessage(Buffer.from(request, 'hex'), 1000)).to.include({ kind: 'unread', status })
    })
  }
})
