import type { RecordParts } from '../audit/record.ts'
import type { Answer } from '../model/answer.ts'
import type { CheckInput } from '../model/check-input.ts'
import { type Deny, deny, isDeny } from '../model/decision.ts'
import type { Report } from '../model/event.ts'
import type { Revision } from '../revision/revision.ts'
import { type HeaderNames, toAnswer } from './answer.ts'
import { type Findings, followLine, type LineDeps } from './line.ts'

/** What a check needs besides the line: a revision, a record, a clock, a limit. */
export type CheckDeps = LineDeps & {
  readonly headers: HeaderNames
  readonly revision: () => Revision | undefined
  /** Keeps the record before the answer leaves; `false` when it cannot. */
  readonly record: (parts: RecordParts) => boolean
  readonly report: Report
  /** Wall clock, for tokens and records. */
  readonly nowMs: () => number
  /** Monotonic clock, for durations. */
  readonly elapsedMicros: () => number
  readonly createDecisionId: () => string
  /** The work's result, or the denial that stands in for it once the deadline (wall clock) has passed. */
  readonly withinDeadline: (work: Promise<Findings>, deadlineMs: number) => Promise<Findings>
  readonly maxInFlight: number
}

/** Decides requests; `refuse` answers what never came to a decision. Each answer has its record. */
export type Checker = {
  readonly check: (input: CheckInput | Deny, deadlineMs: number) => Promise<Answer>
  readonly refuse: (decision: Deny) => Answer
}

/** One check from its start on: what was asked, which revision decides it, and since when. */
type Asked = {
  readonly input: CheckInput | Deny
  readonly revision: Revision | undefined
  readonly startedMicros: number
}

/** Makes the checker of one listener. */
export function createChecker(deps: CheckDeps): Checker {
  let inFlight = 0
  const begin = (input: CheckInput | Deny): Asked => {
    return { input, revision: deps.revision(), startedMicros: deps.elapsedMicros() }
  }
  return {
    async check(input, deadlineMs) {
      const asked = begin(input)
      if (inFlight >= deps.maxInFlight) {
        return conclude(deps, asked, { decision: deny('overloaded', `${inFlight} checks in flight`) })
      }
      inFlight++
      try {
        return conclude(deps, asked, await decide(deps, asked, deadlineMs))
      } finally {
        inFlight--
      }
    },
    refuse: (decision) => conclude(deps, begin(decision), { decision }),
  }
}

async function decide(deps: CheckDeps, { input, revision }: Asked, deadlineMs: number): Promise<Findings> {
  if (isDeny(input)) return { decision: input }
  if (revision === undefined) return { decision: deny('policy_unavailable', 'no policy revision serves yet') }
  const findings = await deps.withinDeadline(followLine(input, deps.nowMs(), revision, deps), deadlineMs)
  // Envoy has gone by then: an allow would mint and record what nobody receives.
  const isLate = deps.nowMs() > deadlineMs && !isDeny(findings.decision)
  return isLate ? { ...findings, decision: deny('deadline_exceeded', 'decided too late') } : findings
}

/** No record, no allow: what cannot be written down is refused, and the refusal recorded if it can be. */
function conclude(deps: CheckDeps, asked: Asked, found: Findings): Answer {
  const decisionId = deps.createDecisionId()
  const isObserving = deps.isObserving(found.service?.name, deps.nowMs())
  const keep = (findings: Findings) => deps.record(toParts(deps, asked, findings, decisionId, isObserving))
  const isKept = keep(found)
  const findings = isKept || isObserving || isDeny(found.decision) ? found : withoutRecord(found)
  if (findings !== found) keep(findings)
  const answer = toAnswer(
    findings,
    deps.headers,
    { decisionId, policyRevision: asked.revision?.id },
    isObserving,
  )
  deps.report({
    kind: 'checked',
    decisionId,
    outcome: answer.kind,
    code: answer.kind === 'allow' ? undefined : answer.code,
    service: found.service?.name,
    action: found.target?.action.id,
    durationSeconds: (deps.elapsedMicros() - asked.startedMicros) / 1e6,
  })
  return answer
}

function withoutRecord({ decision, onward: _unsent, ...found }: Findings): Findings {
  return {
    ...found,
    decision: deny('audit_unavailable', 'the decision record could not be written', decision.results),
  }
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
    engine: revision?.engineVersion,
    input: isDeny(input) ? undefined : input,
    caller,
    chain,
    service,
    target,
    onward,
  }
}
