import type { Answer } from '../../base/model/answer.ts'
import type { Caller } from '../../base/model/caller.ts'
import type { CheckInput, Headers } from '../../base/model/check-input.ts'
import { type Deny, type DenyCode, deny, isDeny, type PrincipalResult } from '../../base/model/decision.ts'
import type { Event, Report } from '../../base/model/event.ts'
import { andThen, type MaybePromise } from '../../base/model/maybe-promise.ts'
import type { RecordParts } from '../../base/model/record-parts.ts'
import type { Revision } from '../../policy/revision/revision.ts'
import type { Admission } from './admission.ts'
import { toAnswer } from './answer.ts'
import { identify } from './decide.ts'
import type { Facts } from './facts.ts'
import { isObserved, type Observing } from './observing.ts'
import { createRefusalSampling, type RefusalSampling } from './refusal-sampling.ts'
import type { HeaderNames } from './removals.ts'
import { decideInRounds, type RoundShell } from './rounds.ts'
import type { Stopwatch } from './stopwatch.ts'
import { refusal, type Verdict } from './verdict.ts'

/** The surroundings of the checks of one listener: facts, clocks and effects. */
export type CheckShell = {
  /** Returns the current facts for a check that begins now. */
  readonly facts: (revision: Revision, nowMs: number, stopwatch: Stopwatch | undefined) => Facts
  readonly revision: () => Revision | undefined
  /** Meets the need for a fact that a decision lacks. */
  readonly meet: RoundShell['meet']
  readonly observing: Observing | undefined
  readonly headers: HeaderNames
  /** Shared by all listeners. */
  readonly admission: Omit<Admission, 'look'>
  /**
   * Writes the record before the answer is sent. Returns `false` if that fails or takes longer than the deadline
   * (monotonic clock). `now`: the answer does not wait for the record.
   */
  readonly record: (parts: RecordParts, by: number | 'now') => MaybePromise<boolean>
  /** Called for each request that is passed on, with or without a chain. */
  readonly handedOn: (headers: Headers, verdict: Verdict, nowMs: number) => void
  readonly onAnswered?: OnAnswered
  readonly report: Report
  /** Wall clock, for tokens, revocations, `observe` and records. Read once for each check. */
  readonly nowMs: () => number
  /** Monotonic clock, for the deadline and durations. */
  readonly elapsedMs: () => number
  readonly createDecisionId: () => string
  /** Starts the trace of a check that arrived at this time of the monotonic clock; absent if nothing is traced. */
  readonly trace?: (input: CheckInput | Deny, receivedMs: number) => CheckTrace | undefined
}

/** The trace of one check. */
export type CheckTrace = {
  readonly stopwatch: Stopwatch
  /** Called once, with the record of the answer. */
  readonly end: (parts: RecordParts, outcome: Answer['kind']) => void
}

/**
 * Called for every answer, so that a shadow can judge the check again after the answer. It must neither throw nor wait.
 */
export type OnAnswered = (
  input: CheckInput | Deny,
  revision: Revision | undefined,
  verdict: Verdict,
  decisionId: string,
) => void

/**
 * Decides requests, synchronously if nothing has to be awaited. `refuse` answers a request that reached no decision. Each
 * answer has a record. Deadlines and times of arrival are on the monotonic clock.
 */
export type Checker = {
  readonly check: (input: CheckInput | Deny, deadlineMs: number, receivedMs?: number) => MaybePromise<Answer>
  readonly refuse: (decision: Deny) => Answer
}

/** Creates the checker of one listener. */
export function createChecker(shell: CheckShell): Checker {
  const sampling = createRefusalSampling(shell.elapsedMs)
  return {
    check(input, deadlineMs, receivedMs) {
      const start = begin(shell, input, deadlineMs, shell.trace?.(input, receivedMs ?? shell.elapsedMs()))
      const { verdict, caller } = decide(shell, start)
      const answered = andThen(verdict, (decided) =>
        isShed(decided)
          ? shed(shell, sampling, start, decided)
          : commit(shell, plan(shell, start, inTime(shell, start, decided, 'decided too late'))),
      )
      if (answered instanceof Promise) holdPlace(shell, caller, answered)
      return answered
    },
    refuse(decision) {
      const start = begin(shell, decision, Number.POSITIVE_INFINITY, undefined)
      const planned = plan(shell, start, refusal(decision))
      recordUnwaited(shell, planned, planned.verdict)
      return respond(shell, planned, planned.verdict)
    },
  }
}

/** A check at its start: request, revision, time of decision and deadline. */
type Start = {
  readonly input: CheckInput | Deny
  readonly revision: Revision | undefined
  /** INVARIANT: the wall clock of the whole check, so that its chain, its record and its answer agree. */
  readonly nowMs: number
  /** Monotonic clock. */
  readonly startedMs: number
  readonly deadlineMs: number
  readonly trace: CheckTrace | undefined
}

function begin(
  shell: CheckShell,
  input: CheckInput | Deny,
  deadlineMs: number,
  trace: CheckTrace | undefined,
): Start {
  const { revision, nowMs, elapsedMs } = shell
  return { input, revision: revision(), nowMs: nowMs(), startedMs: elapsedMs(), deadlineMs, trace }
}

/** The verdict, or the promise of one, and the caller if it is known. */
type Decided = { readonly verdict: MaybePromise<Verdict>; readonly caller: Caller | undefined }

/** Facts in, verdict out. An overloading caller is refused as soon as it is identified, before any expensive step. */
function decide(shell: CheckShell, start: Start): Decided {
  const { input, revision, nowMs, startedMs, deadlineMs, trace } = start
  const settled = (verdict: Verdict): Decided => ({ verdict, caller: verdict.caller })
  const full = shell.admission.refuseAll()
  if (full !== undefined) return settled(refusal(full))
  if (isDeny(input)) return settled(refusal(input))
  if (revision === undefined)
    return settled(refusal(deny('policy_unavailable', 'no policy revision serves yet')))
  const facts = (): Facts => shell.facts(revision, nowMs, trace?.stopwatch)
  const first = facts()
  const call = identify(input, first)
  if (call.kind === 'verdict') return settled(call)
  const { caller, service } = call
  const overload = shell.admission.refuse(caller.id)
  if (overload !== undefined) return settled(refusal(overload, { caller, service }))
  const { admission, meet, elapsedMs } = shell
  const rounds = { facts, meet, elapsedMs, charge: admission.charge }
  return { verdict: decideInRounds(rounds, input, call, first, startedMs, deadlineMs), caller }
}

/**
 * Refuses an allow after the deadline. Envoy no longer waits, so the record would name a chain that no callee received.
 */
function inTime(shell: CheckShell, { deadlineMs }: Start, verdict: Verdict, reason: string): Verdict {
  if (isDeny(verdict.decision) || shell.elapsedMs() <= deadlineMs) return verdict
  return refused(verdict, deny('deadline_exceeded', reason, verdict.decision.results))
}

/** The planned effects of a verdict: its answer, under a new id, and its record. */
type Plan = {
  readonly start: Start
  readonly verdict: Verdict
  readonly decisionId: string
  readonly isObserving: boolean
}

function plan(shell: CheckShell, start: Start, verdict: Verdict): Plan {
  const isObserving = isObserved(shell.observing, verdict.service?.name, start.nowMs)
  // INVARIANT: a record names a minted chain only if the answer contains it.
  const isKeptBack = !isObserving && isDeny(verdict.decision) && verdict.onward !== undefined
  const planned = isKeptBack ? refused(verdict, verdict.decision) : verdict
  return { start, verdict: planned, decisionId: shell.createDecisionId(), isObserving }
}

/**
 * Without a record there is no allow. A check that cannot be recorded is refused, and the refusal is recorded if
 * possible.
 */
function commit(shell: CheckShell, planned: Plan): MaybePromise<Answer> {
  const { start, verdict } = planned
  return andThen(record(shell, planned, verdict, start.deadlineMs), (isKept) => {
    const final = isKept ? inTime(shell, start, verdict, 'recorded too late') : withoutRecord(verdict)
    // The denial itself could not be recorded just before. The denial that replaces an allow is the last record of its
    // id, and the last record counts.
    if (final !== verdict && !isDeny(verdict.decision)) recordUnwaited(shell, planned, final)
    return respond(shell, planned, final)
  })
}

/** Records a refusal without waiting, because the refusal stands even if it cannot be recorded. */
function recordUnwaited(shell: CheckShell, planned: Plan, verdict: Verdict): void {
  const isKept = record(shell, planned, verdict, 'now')
  if (typeof isKept === 'boolean') return
  isKept.catch((cause: unknown) => shell.report({ kind: 'fault', where: 'check/record', cause }))
}

function record(
  shell: CheckShell,
  planned: Plan,
  verdict: Verdict,
  by: number | 'now',
): MaybePromise<boolean> {
  const stop = planned.start.trace?.stopwatch.step('record')
  const isKept = shell.record(toParts(shell, planned, verdict), by)
  if (stop === undefined) return isKept
  if (isKept instanceof Promise) return isKept.finally(stop)
  stop()
  return isKept
}

function respond(shell: CheckShell, planned: Plan, verdict: Verdict): Answer {
  const { start, decisionId, isObserving } = planned
  const { input, revision, nowMs, startedMs, trace } = start
  const reference = { decisionId, policyRevision: revision?.id }
  const received = isDeny(input) ? noHeaders : input.headers
  const answer = toAnswer(verdict, shell.headers, { reference, received, isObserving })
  // Only now it is certain that the callee gets the chain and that this is on record.
  if (answer.kind !== 'deny') shell.handedOn(received, verdict, nowMs)
  shell.onAnswered?.(input, revision, verdict, decisionId)
  trace?.end(toParts(shell, planned, verdict), answer.kind)
  shell.report({
    kind: 'checked',
    decisionId,
    outcome: answer.kind,
    code: answer.kind === 'allow' ? undefined : answer.code,
    service: verdict.service?.name,
    action: verdict.target?.action.id,
    token: tokenOf(verdict),
    durationSeconds: (shell.elapsedMs() - startedMs) / 1000,
    failedPolicies: countFailed(verdict.decision.results),
  })
  return answer
}

const noHeaders: Headers = new Map()

type Shed = Verdict & { readonly decision: Deny }

function isShed(verdict: Verdict): verdict is Shed {
  return isDeny(verdict.decision) && verdict.decision.code === 'overloaded'
}

/** Answers a refusal for overload. An observed refusal passes the request on, so it cannot reuse the previous answer. */
function shed(
  shell: CheckShell,
  sampling: RefusalSampling,
  start: Start,
  verdict: Shed,
): MaybePromise<Answer> {
  if (isObserved(shell.observing, verdict.service?.name, start.nowMs))
    return commit(shell, plan(shell, start, verdict))
  const tell = (decision: Deny): Answer => {
    const planned = plan(shell, start, { ...verdict, decision })
    recordUnwaited(shell, planned, planned.verdict)
    return respond(shell, planned, planned.verdict)
  }
  const durationSeconds = (shell.elapsedMs() - start.startedMs) / 1000
  const repeat = () => shell.report({ kind: 'shed', durationSeconds })
  return sampling.answer(verdict.caller?.id.uri ?? '', verdict.decision, tell, repeat)
}

/** Counts a waiting check for its caller and for all. */
function holdPlace({ admission }: CheckShell, caller: Caller | undefined, answered: Promise<Answer>): void {
  const free = admission.hold(caller?.id)
  answered.then(free, free)
}

/** A refusal of a user's token is the only one by such a code; one that was taken has begun a chain. */
function tokenOf({ decision, chain }: Verdict): Extract<Event, { readonly kind: 'checked' }>['token'] {
  if (chain?.kind === 'first-hop') return { issuer: chain.subject.issuerName, refused: undefined }
  return isDeny(decision) && tokenCodes.has(decision.code)
    ? { issuer: decision.issuer, refused: decision.code }
    : undefined
}

const tokenCodes: ReadonlySet<DenyCode> = new Set([
  'token_missing',
  'token_invalid',
  'token_expired',
  'token_audience',
  'token_key_unknown',
])

function countFailed(results: readonly PrincipalResult[]): number {
  let failed = 0
  for (const { errors } of results) failed += errors.length
  return failed
}

/** Changes a verdict that has no record. A denial stays. While observing, the request passes without a chain. */
function withoutRecord(verdict: Verdict): Verdict {
  const { decision } = verdict
  if (isDeny(decision)) return refused(verdict, decision)
  return refused(
    verdict,
    deny('audit_unavailable', 'the decision record could not be written', decision.results),
  )
}

/** Turns a verdict into a refusal. A chain that was minted for it is discarded. */
function refused({ onward: _unsent, ...found }: Verdict, decision: Deny): Verdict {
  return { ...found, decision }
}

function toParts(shell: CheckShell, planned: Plan, verdict: Verdict): RecordParts {
  const { start, decisionId, isObserving } = planned
  const { input, revision, nowMs, startedMs } = start
  const { decision, caller, chain, service, target, onward, questionKey } = verdict
  return {
    decisionId,
    timeMs: nowMs,
    durationMicros: Math.round((shell.elapsedMs() - startedMs) * 1000),
    decision: isDeny(decision) ? decision : { kind: 'allow', results: decision.results },
    isObserved: isObserving,
    policyRevision: revision?.id,
    policyDigest: revision?.digest,
    engine: revision?.engineVersion,
    input: isDeny(input) ? undefined : input,
    caller,
    chain,
    service,
    target,
    onward,
    questionKey,
  }
}
