import type { Answer } from '../model/answer.ts'
import type { CheckInput } from '../model/check-input.ts'
import { type Deny, deny } from '../model/decision.ts'
import type { Report } from '../model/event.ts'
import { decodeCheckRequest } from './decode.ts'
import { encodeCheckResponse, unrecordedDenial } from './respond.ts'
import type { CallContext, CallHandler } from './transport.ts'

/** What turns a question into an answer. */
export type CallHandlerDeps = {
  /** Decides, and records; a request that could not be decoded comes as its denial, so that it is recorded too. */
  readonly check: (input: CheckInput | Deny, deadlineMs: number) => Answer | Promise<Answer>
  /** Records a denial that came about outside `check`. */
  readonly refuse: (denial: Deny) => Answer
  /** Milliseconds since the epoch, the clock that deadlines are read against. */
  readonly nowMs: () => number
  /** How long a check may take when Envoy leaves more. */
  readonly budgetMs: number
  readonly report: Report
}

/** Envoy must have our answer before it stops waiting, so we stop this much earlier. */
const returnMs = 25
/** `check` looks at the deadline itself and records what it found; only when it is stuck the handler answers for it. */
const stuckAfterMs = 10

/**
 * Answers Check calls: decode, check, respond. INVARIANT: the one place where whatever is thrown or rejected becomes an
 * explicit denial. A gRPC error would obey Envoy's `failure_mode_allow`.
 */
export function createCallHandler(deps: CallHandlerDeps): CallHandler {
  return (request, call) => {
    try {
      const deadlineMs = toDeadlineMs(call, deps)
      const answer = deps.check(decodeCheckRequest(request, call), deadlineMs)
      if (!(answer instanceof Promise)) return encodeCheckResponse(answer, deps.report)
      return unlessStuck(answer, deadlineMs, deps)
    } catch (cause) {
      return encodeFault(cause, deps)
    }
  }
}

function toDeadlineMs(call: CallContext, deps: CallHandlerDeps): number {
  const budgetEndMs = deps.nowMs() + deps.budgetMs
  return call.deadlineMs === undefined ? budgetEndMs : Math.min(budgetEndMs, call.deadlineMs - returnMs)
}

/** Settles once: with the answer, with the fault, or at the latest with `deadline_exceeded`. */
async function unlessStuck(
  pending: Promise<Answer>,
  deadlineMs: number,
  deps: CallHandlerDeps,
): Promise<Uint8Array> {
  const timer = createTimer(Math.max(0, deadlineMs - deps.nowMs()) + stuckAfterMs)
  try {
    const answer = await Promise.race([pending, timer.elapsed])
    if (answer !== 'elapsed') return encodeCheckResponse(answer, deps.report)
    return encodeRefusal(deny('deadline_exceeded', 'the check did not answer in time'), deps)
  } catch (cause) {
    return encodeFault(cause, deps)
  } finally {
    timer.stop()
  }
}

function createTimer(waitMs: number): { readonly elapsed: Promise<'elapsed'>; readonly stop: () => void } {
  let stop = () => {}
  const elapsed = new Promise<'elapsed'>((resolve) => {
    const timeout = setTimeout(() => resolve('elapsed'), waitMs)
    stop = () => clearTimeout(timeout)
  })
  return { elapsed, stop }
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
