import type { Deny } from '../../base/model/decision.ts'
import type { CallContext } from '../transport.ts'
import type { GrpcFailure } from './grpc-message.ts'

/** What a listener serves, by `:path`. */
export type Methods = ReadonlyMap<string, Method>

/** How a call is answered: with one message, or with a message now and whenever there is another. Neither ever throws. */
export type Method =
  | {
      readonly kind: 'unary'
      readonly answer: (
        message: Uint8Array,
        context: CallContext,
      ) => Uint8Array | GrpcFailure | Promise<Uint8Array>
      /** Answers a call whose message cannot be read or held; without it such a call fails. */
      readonly refuse?: (why: Deny, context: CallContext) => Uint8Array | Promise<Uint8Array>
    }
  | {
      readonly kind: 'watch'
      /** Calls `send` at once and on every change; only the latest message matters. The result ends that. */
      readonly watch: (message: Uint8Array, send: (message: Uint8Array) => void) => (() => void) | GrpcFailure
    }
