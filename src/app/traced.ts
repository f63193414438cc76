import { type Pseudonymize, withPseudonym } from '../audit/pseudonym.ts'
import { type RecordParts, toRecord } from '../audit/record-parts.ts'
import { rememberLatest } from '../cache/remember.ts'
import type { CheckDeps } from '../check/check.ts'
import type { CallHandler } from '../ext-authz/transport.ts'
import type { CheckInput } from '../model/check-input.ts'
import { type Deny, isDeny } from '../model/decision.ts'
import type { Event } from '../model/event.ts'
import { judgeStep, type Step } from '../observe/check-spans.ts'
import type { Tracer, Watch } from '../observe/tracer.ts'
import { type Revision, watchRevision } from '../revision/revision.ts'

/** By what one listener's checks are traced. */
export type ListenerTracing = {
  /** Notes when a call comes in, for decoding is a step, too. */
  readonly receive: (handler: CallHandler) => CallHandler
  /** The checker's dependencies, from which each check that may be traced gets some with a stopwatch. */
  readonly watch: (deps: CheckDeps) => CheckDeps
}

/** Traces a listener. What leaves is taken from the decision's record: spans name users as records do, and no token. */
export function traceListener(tracer: Tracer, pseudonymize: Pseudonymize | undefined): ListenerTracing {
  let receivedMs: number | undefined
  return {
    receive: (handler) => (request, call) => {
      receivedMs = tracer.elapsedMs()
      return handler(request, call)
    },
    watch(given) {
      const begin = (input: CheckInput | Deny, startedMs: number): Watch | undefined => {
        if (isDeny(input)) return tracer.begin(new Map(), undefined, startedMs)
        return tracer.begin(input.headers, input.headers.get(given.header)?.at(-1), startedMs)
      }
      const { deps, judgeWatched } = watchJudging(given, tracer)
      return {
        ...deps,
        watched(input) {
          // INVARIANT: a call is decoded and its check begun in one turn, so that the time noted last is its own.
          const startedMs = receivedMs ?? tracer.elapsedMs()
          receivedMs = undefined
          const watch = begin(input, startedMs)
          if (watch === undefined) return deps
          watch.steps.push({ name: 'decode', startedMs, endedMs: tracer.elapsedMs() })
          return {
            ...deps,
            ...watchSteps(deps, watch, tracer),
            judge: judgeWatched(watch),
            ...watchEnd(deps, watch, tracer, pseudonymize),
          }
        },
      }
    },
  }
}

/** Times the judgement and each principal in it. */
function watchJudging(
  deps: CheckDeps,
  tracer: Tracer,
): { readonly deps: CheckDeps; readonly judgeWatched: (watch: Watch) => CheckDeps['judge'] } {
  // INVARIANT: a judgement waits for nothing, so that what is evaluated until it returns belongs to it.
  let judging: Watch | undefined
  // One object a revision, since judgements are remembered by it.
  const toWatched = rememberLatest(
    (revision: Revision): Revision =>
      watchRevision(revision, ({ role }) =>
        judging === undefined ? () => {} : startStep(role, judging.evaluations, tracer),
      ),
  )
  const revision = () => {
    const current = deps.revision()
    return current && toWatched(current)
  }
  const judgeWatched =
    (watch: Watch): CheckDeps['judge'] =>
    (...question) => {
      judging = watch
      try {
        return timed(judgeStep, watch.steps, tracer, () => deps.judge(...question))
      } finally {
        judging = undefined
      }
    }
  return { deps: { ...deps, revision }, judgeWatched }
}

function watchSteps(
  { identifyCaller, verifyChain, verifyUserToken, extendChain }: CheckDeps,
  { steps }: Watch,
  tracer: Tracer,
): Pick<CheckDeps, 'identifyCaller' | 'verifyChain' | 'verifyUserToken' | 'extendChain'> {
  const step = <R>(name: string, run: () => R): R => timed(name, steps, tracer, run)
  return {
    identifyCaller: (...given) => step('identify', () => identifyCaller(...given)),
    verifyChain: (...given) => step('verify chain', () => verifyChain(...given)),
    verifyUserToken: (...given) => step('verify user token', () => verifyUserToken(...given)),
    extendChain: (...given) => step('extend', () => extendChain(...given)),
  }
}

/** The record says what to tell, the report that it is final. */
function watchEnd(
  { record, report }: CheckDeps,
  watch: Watch,
  tracer: Tracer,
  pseudonymize: Pseudonymize | undefined,
): Pick<CheckDeps, 'record' | 'report'> {
  let recorded: RecordParts | undefined
  return {
    record(parts, deadlineMs) {
      recorded = parts
      return timed('record', watch.steps, tracer, () => record(parts, deadlineMs))
    },
    report(event) {
      report(event)
      if (event.kind !== 'checked' || recorded === undefined) return
      try {
        end(event, recorded, watch, tracer, pseudonymize)
      } catch (cause) {
        // To trace must never change what is traced.
        report({ kind: 'fault', where: 'app/traced', cause })
      }
    },
  }
}

function end(
  { outcome }: Extract<Event, { readonly kind: 'checked' }>,
  parts: RecordParts,
  watch: Watch,
  tracer: Tracer,
  pseudonymize: Pseudonymize | undefined,
): void {
  const { chain, onward } = parts
  const parent = chain?.kind === 'delegated' ? chain : undefined
  const ids = { outcome, txn: parent?.txn ?? onward?.txn, jtiIn: parent?.jti, jtiOut: onward?.jti }
  tracer.end(watch, ids, () => {
    const record = toRecord(parts)
    return pseudonymize === undefined ? record : withPseudonym(record, pseudonymize)
  })
}

/** Runs a step and notes when it began and ended, however it ended. */
function timed<R>(name: string, steps: Step[], tracer: Tracer, run: () => R): R {
  const stop = startStep(name, steps, tracer)
  try {
    const result = run()
    if (result instanceof Promise) result.then(stop, stop)
    else stop()
    return result
  } catch (cause) {
    stop()
    throw cause
  }
}

/** Begins a step; the function that comes back ends it. */
function startStep(name: string, steps: Step[], tracer: Tracer): () => void {
  const startedMs = tracer.elapsedMs()
  return () => void steps.push({ name, startedMs, endedMs: tracer.elapsedMs() })
}
