import type { Answer } from '../base/model/answer.ts'
import type { CheckInput } from '../base/model/check-input.ts'
import { type Deny, deny, isDeny } from '../base/model/decision.ts'
import type { Report } from '../base/model/event.ts'
import type { MaybePromise } from '../base/model/maybe-promise.ts'
import { decodeCheckRequest } from './codec/decode.ts'
import { encodeCheckResponse, unrecordedDenial } from './codec/respond.ts'
import type { CallContext, CallHandler } from './transport.ts'

/** The dependencies of the handler. */
export type CallHandlerDeps = {
  /**
   * Decides before the deadline, and records. A request that could not be read or decoded arrives as its denial and is
   * recorded too. `receivedMs` is its time of arrival. Both times are on the monotonic clock.
   */
  readonly check: (input: CheckInput | Deny, deadlineMs: number, receivedMs: number) => MaybePromise<Answer>
  /** Records a denial from outside of `check`. */
  readonly refuse: (denial: Deny) => Answer
  /** Monotonic clock for deadlines, so that a step of the wall clock has no effect. */
  readonly elapsedMs: () => number
  /** The maximum time of a check; Envoy's own timeout may be shorter. */
  readonly budgetMs: number
  readonly report: Report
}

/** The answer must reach Envoy before its timeout, so the deadline is this much earlier. */
const returnMs = 25

/**
 * Answers Check calls: decode, check, respond. INVARIANT: this is the one place where an exception or rejection becomes
 * an explicit denial. A gRPC error would follow Envoy's `failure_mode_allow`.
 */
export function createCallHandler(deps: CallHandlerDeps): CallHandler {
  return (request, call) => {
    try {
      const receivedMs = deps.elapsedMs()
      const answer = isDeny(request)
        ? // Envoy's deadline may have passed while the request came; the denial is recorded all the same.
          deps.check(request, receivedMs + deps.budgetMs, receivedMs)
        : deps.check(decodeCheckRequest(request, call), toDeadlineMs(call, receivedMs, deps), receivedMs)
      if (!(answer instanceof Promise)) return encodeSettled(answer, deps)
      return answer.then(
        (settled) => encodeSettled(settled, deps),
        (cause: unknown) => encodeFault(cause, deps),
      )
    } catch (cause) {
      return encodeFault(cause, deps)
    }
  }
}

function toDeadlineMs(
  { deadlineMs }: CallContext,
  receivedMs: number,
  { budgetMs }: CallHandlerDeps,
): number {
  const budgetEndMs = receivedMs + budgetMs
  return deadlineMs === undefined ? budgetEndMs : Math.min(budgetEndMs, deadlineMs - returnMs)
}

function encodeSettled(answer: Answer, deps: CallHandlerDeps): Uint8Array {
  try {
    return encodeCheckResponse(answer, deps.report)
  } catch (cause) {
    return encodeFault(cause, deps)
  }
}

function encodeFault(cause: unknown, deps: CallHandlerDeps): Uint8Array {
  deps.report({ kind: 'fault', where: 'ext-authz/handler', cause })
  return encodeRefusal(deny('internal_error', 'the check failed'), deps)
}

function encodeRefusal(denial: Deny, deps: CallHandlerDeps): Uint8Array {
  try {
    return encodeCheckResponse(deps.refuse(denial), deps.report)
  } catch (cause) {
    deps.report({ kind: 'fault', where: 'ext-authz/refuse', cause })
    return unrecordedDenial
  }
}
