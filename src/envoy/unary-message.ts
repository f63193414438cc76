import type { DenyCode } from '../base/model/decision.ts'
import { appendToBody, type Body, heldBytes } from './body.ts'
import type { MemoryAccount } from './memory.ts'

/** The gRPC status codes that we send. */
export const grpcStatus = {
  deadlineExceeded: 4,
  notFound: 5,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
} as const

/** A gRPC status that we send. */
export type GrpcStatus = (typeof grpcStatus)[keyof typeof grpcStatus]

/**
 * Why the request of a call cannot be read or held. A method that can deny answers with the code, other methods with the
 * status. `reason` also becomes `grpc-message`: visible ASCII without `%`.
 */
export type Unread = {
  readonly kind: 'unread'
  readonly code: DenyCode
  readonly status: GrpcStatus
  readonly reason: string
}

/** True for a request that cannot be read or held. */
export function isUnread<V>(value: V): value is Extract<V, Unread>
export function isUnread(value: { readonly kind?: unknown } | undefined): boolean {
  return value?.kind === 'unread'
}

/** The compressed flag and the length before each message. */
export const messagePrefixBytes = 5

/** The limit of bytes held for clients is reached. */
export const unheld: Unread = unread(
  'overloaded',
  grpcStatus.resourceExhausted,
  'too many bytes are held for requests that are not whole',
)

const noMessage = unread('request_malformed', grpcStatus.internal, 'expected a message')
const notWhole = unread('request_malformed', grpcStatus.internal, 'expected one whole message')
const compressed = unread(
  'request_malformed',
  grpcStatus.unimplemented,
  'expected a message without compression',
)

/** The request was not complete in time. */
export function lateRequest(requestMs: number): Unread {
  const reason = `expected the whole request within ${requestMs} ms`
  return unread('deadline_exceeded', grpcStatus.deadlineExceeded, reason)
}

/**
 * Adds a part of a message; returns why the call must be refused, if so. Only received bytes take memory, never the
 * announced length.
 */
export function gatherMessage(
  body: Body,
  account: MemoryAccount,
  chunk: Buffer,
  maxMessageBytes: number,
): Unread | undefined {
  const max = messagePrefixBytes + maxMessageBytes
  if (body.length + chunk.length > max) return tooLarge(maxMessageBytes)
  const expected = messagePrefixBytes + claimedBytes(body.length === 0 ? chunk : heldBytes(body))
  if (!appendToBody(body, account, chunk, max, expected)) return unheld
  const claimed = claimedBytes(heldBytes(body))
  // Refused as soon as the prefix arrives, before the rest.
  if (claimed > maxMessageBytes) return tooLarge(maxMessageBytes)
  if (body.length > 0 && body.bytes[0] !== 0) return compressed
  return body.length > messagePrefixBytes + claimed ? notWhole : undefined
}

/** Parses the one message of a complete request. */
export function parseMessage(request: Buffer, maxMessageBytes: number): Uint8Array | Unread {
  if (request.length < messagePrefixBytes) return noMessage
  if (request[0] !== 0) return compressed
  const claimed = claimedBytes(request)
  if (claimed > maxMessageBytes) return tooLarge(maxMessageBytes)
  if (claimed !== request.length - messagePrefixBytes) return notWhole
  return request.subarray(messagePrefixBytes)
}

/** Returns the message with its prefix. */
export function frameMessage(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(messagePrefixBytes + message.length)
  writeMessagePrefix(framed, 0, message.length)
  framed.set(message, messagePrefixBytes)
  return framed
}

/** Writes a message's prefix at `at`. */
export function writeMessagePrefix(target: Buffer, at: number, length: number): void {
  target[at] = 0
  target[at + 1] = length >>> 24
  target[at + 2] = length >>> 16
  target[at + 3] = length >>> 8
  target[at + 4] = length
}

/** Returns the announced length of a message; 0 until its prefix is complete. */
export function claimedBytes(request: Buffer): number {
  return request.length < messagePrefixBytes ? 0 : request.readUInt32BE(1)
}

function tooLarge(maxMessageBytes: number): Unread {
  const reason = `expected a message of at most ${maxMessageBytes} bytes`
  return unread('request_too_large', grpcStatus.resourceExhausted, reason)
}

function unread(code: DenyCode, status: GrpcStatus, reason: string): Unread {
  return { kind: 'unread', code, status, reason }
}
