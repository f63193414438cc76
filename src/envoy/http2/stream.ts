import type { Body } from '../body.ts'
import type { GrpcFailure } from './grpc-message.ts'
import type { Method } from './method.ts'
import type { RequestHead } from './request-head.ts'

/** One call. */
export type Stream = {
  readonly id: number
  readonly head: RequestHead
  /** Who answers it; or why nobody does. */
  readonly target: Method | GrpcFailure | 'not_grpc'
  readonly openedMs: number
  /** When the client stops waiting, by the session's monotonic clock. */
  readonly deadlineMs: number | undefined
  sendWindow: number
  receiveWindow: number
  receivedBytes: number
  body: Body | undefined
  /** The client has sent all of it. */
  isEnded: boolean
  /** A handler is at work on it. */
  isRunning: boolean
  /** The client has reset it meanwhile. */
  isCancelled: boolean
  outgoing: Outgoing | undefined
  /** The message of a watch that follows the one on its way. */
  next: Uint8Array | undefined
  /** Ends what a watch has begun. */
  unwatch: (() => void) | undefined
}

/** Data that waits for a window. */
export type Outgoing = {
  readonly bytes: Buffer
  at: number
  /** The frame that ends the call; `end_of_data` when the last DATA does, `undefined` when more messages may come. */
  readonly ending: Buffer | 'end_of_data' | undefined
  readonly sinceMs: number
}

/** A stream whose head has arrived. */
export function createStream(
  id: number,
  head: RequestHead,
  target: Stream['target'],
  openedMs: number,
  deadlineMs: number | undefined,
  sendWindow: number,
  receiveWindow: number,
): Stream {
  return {
    id,
    head,
    target,
    openedMs,
    deadlineMs,
    sendWindow,
    receiveWindow,
    receivedBytes: 0,
    body: undefined,
    isEnded: false,
    isRunning: false,
    isCancelled: false,
    outgoing: undefined,
    next: undefined,
    unwatch: undefined,
  }
}
