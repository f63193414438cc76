import type { Deny } from '../../../base/model/decision.ts'
import type { CallContext } from '../../transport.ts'
import type { GrpcFailure } from './grpc-message.ts'

/** The methods of a listener, by `:path`. */
export type Methods = ReadonlyMap<string, Method>

/** How a call is answered: with one message, or with a message now and after each change. Neither ever throws. */
export type Method =
  | {
      readonly kind: 'unary'
      readonly answer: (
        message: Uint8Array,
        context: CallContext,
      ) => Uint8Array | GrpcFailure | Promise<Uint8Array>
      /** Answers a call whose message cannot be read or held. Without it such a call fails. */
      readonly refuse?: (why: Deny, context: CallContext) => Uint8Array | Promise<Uint8Array>
    }
  | {
      readonly kind: 'watch'
      /** Calls `send` at once and after every change; only the latest message matters. The result stops the watch. */
      readonly watch: (message: Uint8Array, send: (message: Uint8Array) => void) => (() => void) | GrpcFailure
    }
