import { encodeFrame, flag, frameHeaderBytes, frameType, writeUint32 } from './frames.ts'
import { encodeHeaderBlock } from './hpack-encoder.ts'

/** gRPC's status codes, as far as we send them. */
export const grpcStatus = {
  deadlineExceeded: 4,
  notFound: 5,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
} as const

/** An answer that is no message. `text` is for whoever debugs the client: visible ASCII without `%`. */
export type GrpcFailure = {
  readonly kind: 'failure'
  readonly status: (typeof grpcStatus)[keyof typeof grpcStatus]
  readonly text: string
}

/** Compressed flag and length before each message. */
export const messagePrefixBytes = 5

/** The HEADERS frame before messages. Its stream id, as in every frame here, is still 0: see `writeStreamId`. */
export const answerHead: Buffer = toHeaders(flag.endHeaders, [
  [':status', '200'],
  ['content-type', 'application/grpc'],
])

/** The HEADERS frame that ends a call which went well. */
export const okTrailers: Buffer = toHeaders(flag.endHeaders | flag.endStream, [['grpc-status', '0']])

/** The answer to what is no gRPC: a HEADERS frame, and the text after it. */
export const notGrpcHead: Buffer = toHeaders(flag.endHeaders, [
  [':status', '415'],
  ['content-type', 'text/plain'],
])
export const notGrpcText: Buffer = Buffer.from('expected application/grpc\n')

/** A failure as the only frame of an answer. */
export function toFailureFrame({ status, text }: GrpcFailure): Buffer {
  return toHeaders(flag.endHeaders | flag.endStream, [
    [':status', '200'],
    ['content-type', 'application/grpc'],
    ['grpc-status', String(status)],
    ['grpc-message', text],
    ['grpc-accept-encoding', 'identity'],
  ])
}

/** A failure after messages. */
export function toFailureTrailers({ status, text }: GrpcFailure): Buffer {
  return toHeaders(flag.endHeaders | flag.endStream, [
    ['grpc-status', String(status)],
    ['grpc-message', text],
  ])
}

/** Says that a call cannot be answered. */
export function failure(status: GrpcFailure['status'], text: string): GrpcFailure {
  return { kind: 'failure', status, text }
}

/** Sets the stream of a frame that starts at `at`. */
export function writeStreamId(bytes: Buffer, at: number, streamId: number): void {
  writeUint32(bytes, at + frameHeaderBytes - 4, streamId)
}

/** Writes a message's prefix at `at`. */
export function writeMessagePrefix(target: Buffer, at: number, length: number): void {
  target[at] = 0
  writeUint32(target, at + 1, length)
}

/** The message with its prefix. */
export function frameMessage(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(messagePrefixBytes + message.length)
  writeMessagePrefix(framed, 0, message.length)
  framed.set(message, messagePrefixBytes)
  return framed
}

/** The one message of a whole request. */
export function parseMessage(request: Buffer): Uint8Array | GrpcFailure {
  if (request.length < messagePrefixBytes) return failure(grpcStatus.internal, 'expected a message')
  if (request[0] !== 0) return failure(grpcStatus.unimplemented, 'expected a message without compression')
  if (claimedBytes(request) !== request.length - messagePrefixBytes) {
    return failure(grpcStatus.internal, 'expected one whole message')
  }
  return request.subarray(messagePrefixBytes)
}

/** How long a message says it is; 0 while its prefix is not there. */
export function claimedBytes(request: Buffer): number {
  return request.length < messagePrefixBytes ? 0 : request.readUInt32BE(1)
}

function toHeaders(flags: number, fields: readonly (readonly [string, string])[]): Buffer {
  return encodeFrame(frameType.headers, flags, 0, encodeHeaderBlock(fields))
}
