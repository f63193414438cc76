import type { RecordParts } from '../audit/record-parts.ts'
import type { Answer } from '../model/answer.ts'
import type { CheckInput, Headers } from '../model/check-input.ts'
import { type Deny, deny, isDeny, type PrincipalResult } from '../model/decision.ts'
import type { Report } from '../model/event.ts'
import { andThen, type Eventual } from '../model/eventual.ts'
import type { Revision } from '../revision/revision.ts'
import { toAnswer } from './answer.ts'
import { type Findings, followLine, type LineDeps } from './line.ts'
import type { HeaderNames } from './removals.ts'
import { createShedding, type Shedding } from './shedding.ts'

/** What a check needs besides the line: a revision, a record, a clock, a limit. */
export type CheckDeps = LineDeps & {
  readonly headers: HeaderNames
  readonly revision: () => Revision | undefined
  /**
   * Writes the record before the answer leaves; `false` if it cannot, or not by the deadline (monotonic clock). `now`: the
   * answer does not wait for the record.
   */
  readonly record: (parts: RecordParts, by: number | 'now') => Eventual<boolean>
  /** Told of each request that is passed on, with its chain or without. */
  readonly handedOn: (headers: Headers, findings: Findings, nowMs: number) => void
  readonly lookAgain?: LookAgain
  readonly report: Report
  /** Wall clock, for tokens, revocations, `observe` and records; read once a check. */
  readonly nowMs: () => number
  /** Monotonic clock, for the deadline and durations. */
  readonly elapsedMs: () => number
  readonly createDecisionId: () => string
  /** For work that has to wait: its result, or a denial if the deadline (monotonic clock) passes first. */
  readonly withinDeadline: (work: Promise<Findings>, deadlineMs: number) => Promise<Findings>
  readonly maxInFlight: number
  /** The same for one check, with a stopwatch around its steps if it may be traced; absent when nothing is. */
  readonly watched?: (input: CheckInput | Deny) => CheckDeps
}

/** Told of every answer, for whoever judges it again once it has left; neither throws nor waits. */
export type LookAgain = (
  input: CheckInput | Deny,
  revision: Revision | undefined,
  found: Findings,
  decisionId: string,
) => void

/**
 * Decides requests, at once if nothing has to be waited for; `refuse` answers a request that reached no decision. Each
 * answer has its record. Deadlines are on the monotonic clock.
 */
export type Checker = {
  readonly check: (input: CheckInput | Deny, deadlineMs: number) => Eventual<Answer>
  readonly refuse: (decision: Deny) => Answer
}

/** One check from its start on: the request, the revision and the moment by which it is decided, and its deadline. */
type Asked = {
  readonly input: CheckInput | Deny
  readonly revision: Revision | undefined
  /** INVARIANT: the wall clock of the whole check, so that its chain, its record and its answer agree. */
  readonly nowMs: number
  /** Monotonic clock. */
  readonly startedMs: number
  readonly deadlineMs: number
}

/** What was found and is answered, under its id, and how it is recorded. */
type Ending = {
  readonly asked: Asked
  readonly found: Findings
  readonly decisionId: string
  readonly isObserving: boolean
  readonly keep: (findings: Findings, by: number | 'now') => Eventual<boolean>
}

/** Makes the checker of one listener. */
export function createChecker(common: CheckDeps): Checker {
  let inFlight = 0
  const shedding = createShedding(common.elapsedMs)
  return {
    check(input, deadlineMs) {
      const deps = common.watched?.(input) ?? common
      const asked = begin(deps, input, deadlineMs)
      if (inFlight >= deps.maxInFlight) {
        return shed(deps, shedding, asked, { decision: deny('overloaded', `${inFlight} checks in flight`) })
      }
      const answered = andThen(decide(deps, asked), (found) =>
        isShed(found) ? shed(deps, shedding, asked, found) : conclude(deps, asked, found),
      )
      if (!(answered instanceof Promise)) return answered
      inFlight++
      const free = () => void inFlight--
      answered.then(free, free)
      return answered
    },
    refuse(decision) {
      const ending = toEnding(common, begin(common, decision, Number.POSITIVE_INFINITY), { decision })
      keepUnwaited(common, ending, ending.found)
      return answer(common, ending)
    },
  }
}

function begin(deps: CheckDeps, input: CheckInput | Deny, deadlineMs: number): Asked {
  return { input, revision: deps.revision(), nowMs: deps.nowMs(), startedMs: deps.elapsedMs(), deadlineMs }
}

function decide(deps: CheckDeps, asked: Asked): Eventual<Findings> {
  const { input, revision, nowMs, deadlineMs } = asked
  if (isDeny(input)) return { decision: input }
  if (revision === undefined) return { decision: deny('policy_unavailable', 'no policy revision serves yet') }
  const work = followLine(input, nowMs, revision, deps)
  const findings = work instanceof Promise ? deps.withinDeadline(work, deadlineMs) : work
  return andThen(findings, (found) => inTime(deps, asked, found, 'decided too late'))
}

/** After the deadline Envoy no longer waits: an allow would record a chain that nobody receives. */
function inTime(deps: CheckDeps, { deadlineMs }: Asked, found: Findings, reason: string): Findings {
  if (isDeny(found.decision) || deps.elapsedMs() <= deadlineMs) return found
  return refused(found, deny('deadline_exceeded', reason, found.decision.results))
}

type Shed = Findings & { readonly decision: Deny }

function isShed(found: Findings): found is Shed {
  return isDeny(found.decision) && found.decision.code === 'overloaded'
}

/** What is only observed passes on as it is, and so cannot be answered as the one before was. */
function shed(deps: CheckDeps, shedding: Shedding, asked: Asked, found: Shed): Eventual<Answer> {
  if (deps.isObserving(found.service?.name, asked.nowMs)) return conclude(deps, asked, found)
  const tell = (decision: Deny): Answer => {
    const ending = toEnding(deps, asked, { ...found, decision })
    keepUnwaited(deps, ending, ending.found)
    return answer(deps, ending)
  }
  const repeat = () => deps.report({ kind: 'shed', durationSeconds: secondsSince(deps, asked) })
  return shedding.answer(found.caller?.id.uri ?? '', found.decision, tell, repeat)
}

/** No record, no allow: what cannot be written down is refused, and the refusal recorded if it can be. */
function conclude(deps: CheckDeps, asked: Asked, found: Findings): Eventual<Answer> {
  const ending = toEnding(deps, asked, found)
  return andThen(ending.keep(ending.found, asked.deadlineMs), (isKept) => {
    const final = isKept
      ? inTime(deps, asked, ending.found, 'recorded too late')
      : withoutRecord(ending.found)
    if (final === ending.found) return answer(deps, ending)
    // A denial could not be recorded a moment ago; the denial of an allow is the last record of its id, which counts.
    if (!isDeny(found.decision)) keepUnwaited(deps, ending, final)
    return answer(deps, { ...ending, found: final })
  })
}

/** A refusal stands whether or not its record can be kept, so nobody waits for that. */
function keepUnwaited({ report }: CheckDeps, { keep }: Ending, findings: Findings): void {
  const isKept = keep(findings, 'now')
  if (typeof isKept === 'boolean') return
  isKept.catch((cause: unknown) => report({ kind: 'fault', where: 'check/record', cause }))
}

function toEnding(deps: CheckDeps, asked: Asked, found: Findings): Ending {
  const decisionId = deps.createDecisionId()
  const isObserving = deps.isObserving(found.service?.name, asked.nowMs)
  const keep: Ending['keep'] = (findings, by) =>
    deps.record(toParts(deps, asked, findings, decisionId, isObserving), by)
  return { asked, found: isObserving ? found : unlessRefused(found), decisionId, isObserving, keep }
}

/** INVARIANT: a record names a minted chain only if the answer hands it on. */
function unlessRefused(found: Findings): Findings {
  return isDeny(found.decision) && found.onward !== undefined ? refused(found, found.decision) : found
}

function answer(deps: CheckDeps, { asked, found, decisionId, isObserving }: Ending): Answer {
  const reference = { decisionId, policyRevision: asked.revision?.id }
  const received = isDeny(asked.input) ? new Map() : asked.input.headers
  const answered = toAnswer(found, deps.headers, { reference, received, isObserving })
  // Only now is it certain that the callee gets the chain, and that the handing over is on record.
  if (answered.kind !== 'deny') deps.handedOn(received, found, asked.nowMs)
  deps.lookAgain?.(asked.input, asked.revision, found, decisionId)
  deps.report({
    kind: 'checked',
    decisionId,
    outcome: answered.kind,
    code: answered.kind === 'allow' ? undefined : answered.code,
    service: found.service?.name,
    action: found.target?.action.id,
    durationSeconds: secondsSince(deps, asked),
    failedPolicies: countFailed(found.decision.results),
  })
  return answered
}

function countFailed(results: readonly PrincipalResult[]): number {
  let failed = 0
  for (const { errors } of results) failed += errors.length
  return failed
}

function secondsSince(deps: CheckDeps, { startedMs }: Asked): number {
  return (deps.elapsedMs() - startedMs) / 1000
}

/** A denial stays as it is. While observing it refuses nothing, but hands on no chain that is not on record. */
function withoutRecord(found: Findings): Findings {
  const { decision } = found
  if (isDeny(decision)) return refused(found, decision)
  return refused(
    found,
    deny('audit_unavailable', 'the decision record could not be written', decision.results),
  )
}

/** What was found, refused after all: a chain that was minted for it is handed to nobody. */
function refused({ onward: _unsent, ...found }: Findings, decision: Deny): Findings {
  return { ...found, decision }
}

function toParts(
  deps: CheckDeps,
  { input, revision, nowMs, startedMs }: Asked,
  { decision, caller, chain, service, target, onward }: Findings,
  decisionId: string,
  isObserved: boolean,
): RecordParts {
  return {
    decisionId,
    timeMs: nowMs,
    durationMicros: Math.round((deps.elapsedMs() - startedMs) * 1000),
    decision: isDeny(decision) ? decision : { kind: 'allow', results: decision.results },
    isObserved,
    policyRevision: revision?.id,
    policyDigest: revision?.digest,
    engine: revision?.engineVersion,
    input: isDeny(input) ? undefined : input,
    caller,
    chain,
    service,
    target,
    onward,
  }
}
