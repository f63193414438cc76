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
   * Keeps the record before the answer leaves; `false` when it cannot, or not by the deadline (wall clock). By `now`, an
   * answer leaves that waits for nothing.
   */
  readonly record: (parts: RecordParts, by: number | 'now') => Eventual<boolean>
  /** Told of each request that is passed on, with its chain or without. */
  readonly handedOn: (headers: Headers, findings: Findings, nowMs: number) => void
  readonly lookAgain?: LookAgain
  readonly report: Report
  /** Wall clock, for tokens and records. */
  readonly nowMs: () => number
  /** Monotonic clock, for durations. */
  readonly elapsedMicros: () => number
  readonly createDecisionId: () => string
  /** For work that has to wait: its result, or the denial that stands in for it once the deadline (wall clock) has passed. */
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
 * Decides requests, at once where everything is known; `refuse` answers what never came to a decision. Each answer has
 * its record.
 */
export type Checker = {
  readonly check: (input: CheckInput | Deny, deadlineMs: number) => Eventual<Answer>
  readonly refuse: (decision: Deny) => Answer
}

/** One check from its start on: what was asked, which revision decides it, and since when. */
type Asked = {
  readonly input: CheckInput | Deny
  readonly revision: Revision | undefined
  readonly startedMicros: number
  readonly deadlineMs: number
}

/** What was found, under its id, and how it is recorded. */
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
  const shedding = createShedding(() => common.elapsedMicros() / 1000)
  const begin = (input: CheckInput | Deny, deadlineMs: number, deps = common): Asked => {
    return { input, revision: deps.revision(), startedMicros: deps.elapsedMicros(), deadlineMs }
  }
  return {
    check(input, deadlineMs) {
      const deps = common.watched?.(input) ?? common
      const asked = begin(input, deadlineMs, deps)
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
      const ending = toEnding(common, begin(decision, common.nowMs()), { decision })
      keepUnwaited(common, ending, ending.found)
      return answer(common, ending)
    },
  }
}

function decide(deps: CheckDeps, { input, revision, deadlineMs }: Asked): Eventual<Findings> {
  if (isDeny(input)) return { decision: input }
  if (revision === undefined) return { decision: deny('policy_unavailable', 'no policy revision serves yet') }
  const work = followLine(input, deps.nowMs(), revision, deps)
  const findings = work instanceof Promise ? deps.withinDeadline(work, deadlineMs) : work
  return andThen(findings, (found) => {
    // Envoy has gone by then: an allow would mint and record what nobody receives.
    const isLate = deps.nowMs() > deadlineMs && !isDeny(found.decision)
    return isLate ? refused(found, deny('deadline_exceeded', 'decided too late')) : found
  })
}

type Shed = Findings & { readonly decision: Deny }

function isShed(found: Findings): found is Shed {
  return isDeny(found.decision) && found.decision.code === 'overloaded'
}

/** What is only observed passes on as it is, and so cannot be answered as the one before was. */
function shed(deps: CheckDeps, shedding: Shedding, asked: Asked, found: Shed): Eventual<Answer> {
  if (deps.isObserving(found.service?.name, deps.nowMs())) return conclude(deps, asked, found)
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
  return andThen(ending.keep(found, asked.deadlineMs), (isKept) => {
    if (isKept) return answer(deps, ending)
    const unrecorded = withoutRecord(found)
    // A denial could not be kept a moment ago.
    if (!isDeny(found.decision)) keepUnwaited(deps, ending, unrecorded)
    return answer(deps, { ...ending, found: unrecorded })
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
  const isObserving = deps.isObserving(found.service?.name, deps.nowMs())
  const keep: Ending['keep'] = (findings, by) =>
    deps.record(toParts(deps, asked, findings, decisionId, isObserving), by)
  return { asked, found, decisionId, isObserving, keep }
}

function answer(deps: CheckDeps, { asked, found, decisionId, isObserving }: Ending): Answer {
  const reference = { decisionId, policyRevision: asked.revision?.id }
  const received = isDeny(asked.input) ? new Map() : asked.input.headers
  const answered = toAnswer(found, deps.headers, { reference, received, isObserving })
  // Only now is it certain that the callee gets the chain, and that the handing over is on record.
  if (answered.kind !== 'deny') deps.handedOn(received, found, deps.nowMs())
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

function secondsSince(deps: CheckDeps, { startedMicros }: Asked): number {
  return (deps.elapsedMicros() - startedMicros) / 1e6
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
  { input, revision, startedMicros }: Asked,
  { decision, caller, chain, service, target, onward }: Findings,
  decisionId: string,
  isObserved: boolean,
): RecordParts {
  return {
    decisionId,
    timeMs: deps.nowMs(),
    durationMicros: Math.round(deps.elapsedMicros() - startedMicros),
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
