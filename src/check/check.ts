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

/** Makes the checker of one listener. */
export function createChecker(deps: CheckDeps): Checker {
  let inFlight = 0
  return {
    async check(input, deadlineMs) {
      const startedMicros = deps.elapsedMicros()
      const revision = deps.revision()
      if (inFlight >= deps.maxInFlight) {
        return conclude(
          deps,
          { decision: deny('overloaded', `${inFlight} checks in flight`) },
          startedMicros,
          revision,
          input,
        )
      }
      inFlight++
      try {
        const findings = await decide(deps, input, deadlineMs, revision)
        return conclude(deps, findings, startedMicros, revision, input)
      } finally {
        inFlight--
      }
    },
    refuse: (decision) => conclude(deps, { decision }, deps.elapsedMicros(), deps.revision(), decision),
  }
}

async function decide(
  deps: CheckDeps,
  input: CheckInput | Deny,
  deadlineMs: number,
  revision: Revision | undefined,
): Promise<Findings> {
  if (isDeny(input)) return { decision: input }
  if (revision === undefined) return { decision: deny('policy_unavailable', 'no policy revision serves yet') }
  const findings = await deps.withinDeadline(followLine(input, deps.nowMs(), revision, deps), deadlineMs)
  // Envoy has gone by then: an allow would mint and record what nobody receives.
  const isLate = deps.nowMs() > deadlineMs && !isDeny(findings.decision)
  return isLate ? { ...findings, decision: deny('deadline_exceeded', 'decided too late') } : findings
}

/** No record, no allow: what cannot be written down is refused, and the refusal recorded if it can be. */
function conclude(
  deps: CheckDeps,
  findings: Findings,
  startedMicros: number,
  revision: Revision | undefined,
  input: CheckInput | Deny,
): Answer {
  const decisionId = deps.createDecisionId()
  const keep = (decided: Findings) =>
    deps.record(toParts(deps, decided, decisionId, startedMicros, revision, input))
  const isKept = keep(findings)
  const concluded = isKept || isDeny(findings.decision) ? findings : withoutRecord(findings)
  if (concluded !== findings) keep(concluded)
  const answer = toAnswer(concluded, deps.headers, decisionId, revision?.id)
  deps.report({
    kind: 'checked',
    decisionId,
    outcome: answer.kind,
    code: answer.kind === 'deny' ? answer.code : undefined,
    service: findings.target?.service.name,
    action: findings.target?.action.id,
    durationSeconds: (deps.elapsedMicros() - startedMicros) / 1e6,
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
  { decision, caller, chain, target, onward }: Findings,
  decisionId: string,
  startedMicros: number,
  revision: Revision | undefined,
  input: CheckInput | Deny,
): RecordParts {
  return {
    decisionId,
    timeMs: deps.nowMs(),
    durationMicros: Math.round(deps.elapsedMicros() - startedMicros),
    decision: isDeny(decision) ? decision : { kind: 'allow', results: decision.results },
    policyRevision: revision?.id,
    engine: revision?.engineVersion,
    input: isDeny(input) ? undefined : input,
    caller,
    chain,
    target,
    onward,
  }
}
