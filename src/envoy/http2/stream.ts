import type { Body } from '../body.ts'
import type { GrpcFailure } from './grpc/grpc-message.ts'
import type { Method } from './grpc/method.ts'
import type { RequestHead } from './grpc/request-head.ts'

/** One call. */
export type Stream = {
  readonly id: number
  readonly head: RequestHead
  /** The method that answers it, or the reason why none does. */
  readonly target: Method | GrpcFailure | 'not_grpc'
  readonly openedMs: number
  /** When the client stops waiting, on the session's monotonic clock. */
  readonly deadlineMs: number | undefined
  sendWindow: number
  receiveWindow: number
  receivedBytes: number
  body: Body | undefined
  /** True if the client has sent all of it. */
  isEnded: boolean
  /** True while a handler runs. */
  isRunning: boolean
  /** True if the client has reset it meanwhile. */
  isCancelled: boolean
  outgoing: Outgoing | undefined
  /** The next message of a watch, after the current one. */
  next: Uint8Array | undefined
  /** Stops the watch. */
  unwatch: (() => void) | undefined
}

/** Data that waits for a window. */
export type Outgoing = {
  readonly bytes: Buffer
  at: number
  /** The frame that ends the call; `end_of_data` if the last DATA does, `undefined` if more messages may follow. */
  readonly ending: Buffer | 'end_of_data' | undefined
  readonly sinceMs: number
}

/** Creates a stream after its head has arrived. */
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
