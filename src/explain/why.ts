import type { DecisionRecord } from '../audit/format/record.ts'
import type { DenyCode, PrincipalResult } from '../base/model/decision.ts'
import { formatEntityUid } from '../base/model/entity-uid.ts'
import { type Invalid, isInvalid } from '../base/model/invalid.ts'
import type { Revision } from '../policy/revision/revision.ts'
import { judgeRecord } from './judge-record.ts'

/** The result of judging a decision again with its own revision. */
export type SecondJudgement = {
  readonly kind: 'judged'
  readonly outcome: 'allow' | 'deny'
  readonly code: DenyCode | undefined
  readonly results: readonly PrincipalResult[]
  /** Differences from the record; empty if they agree. */
  readonly differences: readonly string[]
}

// The codes with which `judge` refuses. A failure of the engine is excluded, because it need not recur.
const judgedCodes: ReadonlySet<DenyCode> = new Set([
  'chain_missing',
  'scope_missing',
  'policy_denied',
  'policy_error',
])

/** Judges a recorded decision again; `Invalid` if nothing could be judged, such as after an early refusal. */
export function judgeAgain(record: DecisionRecord, revision: Revision): SecondJudgement | Invalid {
  const verdict = judgeRecord(record, revision)
  if (isInvalid(verdict)) return verdict
  const judgement = verdict.decision
  const code = judgement.kind === 'deny' ? judgement.code : undefined
  const again = {
    outcome: judgement.kind === 'deny' ? ('deny' as const) : ('allow' as const),
    code,
    results: judgement.results,
  }
  return { kind: 'judged', ...again, differences: findDifferences(record, again) }
}

function findDifferences(
  record: DecisionRecord,
  again: Pick<SecondJudgement, 'code' | 'results'>,
): readonly string[] {
  const wasJudged = record.code === undefined || judgedCodes.has(record.code)
  const codes =
    wasJudged && record.code !== again.code
      ? [`recorded ${record.code ?? 'allow'}, judged again ${again.code ?? 'allow'}`]
      : []
  // It was refused before or after the policies, so there may be nothing to compare.
  if (!wasJudged && record.results.length === 0) return codes
  const before = record.results
    .map((result) => ({ ...result, determiningPolicies: result.policies }))
    .map(toLine)
  const after = again.results.map(toLine)
  return [
    ...codes,
    ...before.filter((line) => !after.includes(line)).map((line) => `recorded ${line}`),
    ...after.filter((line) => !before.includes(line)).map((line) => `judged again ${line}`),
  ]
}

function toLine(
  result: Pick<PrincipalResult, 'principal' | 'role' | 'outcome' | 'determiningPolicies'>,
): string {
  const policies = result.determiningPolicies.map(({ id }) => id).sort()
  return `${result.role} ${formatEntityUid(result.principal)}: ${result.outcome} by ${policies.join(', ') || 'no policy'}`
}
