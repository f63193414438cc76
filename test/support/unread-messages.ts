import { gzipSync } from 'node:zlib'
import type { DenyCode } from '../../src/base/model/decision.ts'
import { frameMessage } from '../../src/envoy/unary-message.ts'
import { encodeCheckRequest } from './check-request.ts'

const question = encodeCheckRequest({ method: 'GET', path: '/' })

/** Messages that no transport hands on to be decided. */
export function unreadMessages(): readonly {
  readonly name: string
  readonly message: Buffer
  readonly code: DenyCode
}[] {
  const [whole, large] = [toFrame(question), toFrame(Buffer.alloc(5_000_000))]
  return [
    { name: 'a message larger than Envoy can send', message: large, code: 'request_too_large' },
    {
      name: 'a message that is announced as too large and ends early',
      message: large.subarray(0, 5),
      code: 'request_too_large',
    },
    {
      name: 'a message that inflates to 50 MB',
      message: toFrame(gzipSync(Buffer.alloc(50_000_000)), 1),
      code: 'request_malformed',
    },
    { name: 'a compressed message', message: toFrame(gzipSync(question), 1), code: 'request_malformed' },
    { name: 'a request without a message', message: Buffer.alloc(0), code: 'request_malformed' },
    { name: 'half a prefix', message: whole.subarray(0, 3), code: 'request_malformed' },
    { name: 'a message that is cut off', message: whole.subarray(0, -1), code: 'request_malformed' },
    { name: 'two messages', message: Buffer.concat([whole, whole]), code: 'request_malformed' },
  ]
}

/** One gRPC message: the compressed flag, the length, the bytes. */
function toFrame(bytes: Uint8Array, compressed: 0 | 1 = 0): Buffer {
  const framed = frameMessage(bytes)
  framed[0] = compressed
  return framed
}
