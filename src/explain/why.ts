import type { DecisionRecord } from '../audit/format/record.ts'
import type { DenyCode, PrincipalResult } from '../base/model/decision.ts'
import { formatEntityUid } from '../base/model/entity-uid.ts'
import { type Invalid, isInvalid } from '../base/model/invalid.ts'
import type { Revision } from '../policy/revision/revision.ts'
import { judgeRecord } from './judge-record.ts'

/** A decision judged again at the revision that made it. */
export type SecondJudgement = {
  readonly kind: 'judged'
  readonly outcome: 'allow' | 'deny'
  readonly code: DenyCode | undefined
  readonly results: readonly PrincipalResult[]
  /** What came out otherwise than recorded; none, when the record stands. */
  readonly differences: readonly string[]
}

// What `judge` itself refuses for; an engine that failed once need not fail again.
const judgedCodes: ReadonlySet<DenyCode> = new Set([
  'chain_missing',
  'scope_missing',
  'policy_denied',
  'policy_error',
])

/** Judges a recorded decision again; `Invalid` says why nothing was judged, such as a request refused before. */
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
  // Refused by a step before or after the policies: there may be nothing to compare.
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
