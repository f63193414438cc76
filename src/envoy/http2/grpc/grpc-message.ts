import type { GrpcStatus, Unread } from '../../unary-message.ts'
import { encodeFrame, flag, frameHeaderBytes, frameType, writeUint32 } from '../frames/frames.ts'
import { encodeHeaderBlock } from '../hpack/encoder.ts'

/** An answer without a message. `text` helps to debug the client: visible ASCII without `%`. */
export type GrpcFailure = { readonly kind: 'failure'; readonly status: GrpcStatus; readonly text: string }

/** The HEADERS frame before messages. As in every frame here, its stream id is still 0; see `writeStreamId`. */
export const answerHead: Buffer = toHeaders(flag.endHeaders, [
  [':status', '200'],
  ['content-type', 'application/grpc'],
])

/** The HEADERS frame that ends a successful call. */
export const okTrailers: Buffer = toHeaders(flag.endHeaders | flag.endStream, [['grpc-status', '0']])

/** The answer to a request that is not gRPC: a HEADERS frame, followed by the text. */
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

/** Returns the failure of a call whose method has no denial message. */
export function toFailure({ status, reason }: Unread): GrpcFailure {
  return failure(status, reason)
}

/** Returns the failure of a call that cannot be answered. */
export function failure(status: GrpcFailure['status'], text: string): GrpcFailure {
  return { kind: 'failure', status, text }
}

/** True for an answer that is no message. */
export function isGrpcFailure<V>(value: V): value is Extract<V, GrpcFailure>
export function isGrpcFailure(value: { readonly kind?: unknown } | undefined): boolean {
  return value?.kind === 'failure'
}

/** Sets the stream of the frame at `at`. */
export function writeStreamId(bytes: Buffer, at: number, streamId: number): void {
  writeUint32(bytes, at + frameHeaderBytes - 4, streamId)
}

function toHeaders(flags: number, fields: readonly (readonly [string, string])[]): Buffer {
  return encodeFrame(frameType.headers, flags, 0, encodeHeaderBlock(fields))
}
