import type { DecisionRecord } from '../src/audit/format/record.ts'
import { readRecords } from '../src/audit/read/query.ts'
import type { PolicyReference, Role } from '../src/base/model/decision.ts'
import type { Hospital } from './hospital.ts'
import { playScenario, warmUp } from './scenario.ts'
import type { CallResult } from './services/task.ts'
import { type Step, steps } from './steps.ts'
import { workloads } from './world.ts'

/**
 * The principals that were refused, each with the policies that forbid it. Without such policies, no policy permits it.
 */
export type Refusal = {
  readonly principal: string
  readonly role: Role
  readonly policies: readonly PolicyReference[]
}

/** The outcome of one step. */
export type Outcome = Pick<Step, 'step' | 'from' | 'to' | 'method' | 'path'> & {
  readonly status: number
  readonly code: string | undefined
  readonly deniedBy: readonly Refusal[]
  /** On whose behalf and by whom: the user, earlier actors, the caller. As the record proves it. */
  readonly chain: readonly string[]
  readonly decisionId: string | undefined
  readonly ms: number
  /** The status of the same call without Waywarden. */
  readonly without: number | undefined
  /** Whether everything came as it should. */
  readonly ok: boolean
}

/** Plays the story with and without Waywarden and joins what callers saw with what the audit log says. */
export async function play(hospital: Hospital): Promise<readonly Outcome[]> {
  await warmUp(hospital)
  const guarded = await playScenario(hospital, 'guarded')
  const bare = await playScenario(hospital, 'bare')
  const records = await readAudit(hospital)
  return steps.map((step) => {
    const result = guarded.get(step.step)
    const record = records.get(result?.decisionId ?? '')
    return toOutcome(step, result, record, bare.get(step.step)?.status)
  })
}

/** All decisions in the hospital's audit log, by id. */
export async function readAudit(hospital: Hospital): Promise<ReadonlyMap<string, DecisionRecord>> {
  const records = new Map<string, DecisionRecord>()
  for await (const line of readRecords(hospital.auditDirectories)) {
    if (line.kind === 'record') records.set(line.record.decisionId, line.record)
  }
  return records
}

function toOutcome(
  step: Step,
  result: CallResult | undefined,
  record: DecisionRecord | undefined,
  without: number | undefined,
): Outcome {
  const { from, to, method, path } = step
  const status = result?.status ?? 0
  const deniedBy = record === undefined ? [] : toRefusals(record)
  const isProven = record?.caller?.id === workloads[from] && record.code === result?.code
  const isExpected = status === step.status && result?.code === step.code && without === step.without
  return {
    ...{ step: step.step, from, to, method, path, status, code: result?.code, deniedBy },
    chain: record === undefined ? [] : toChain(record),
    decisionId: result?.decisionId,
    ms: Math.round((result?.ms ?? 0) * 10) / 10,
    without,
    ok: isProven && isExpected && isRefusedAsExpected(step, deniedBy),
  }
}

function toRefusals(record: DecisionRecord): readonly Refusal[] {
  return record.results
    .filter(({ outcome }) => outcome !== 'permit')
    .map(({ principal, role, policies }) => ({ principal: principal.id, role, policies }))
}

function toChain(record: DecisionRecord): readonly string[] {
  const { chain, caller } = record
  const subject = chain === undefined || chain.kind === 'none' ? undefined : chain.subject
  const actors = chain?.kind === 'delegated' ? chain.actors.map(({ id }) => id).reverse() : []
  const user = subject === undefined ? [] : [`${subject.issuerName}/${subject.id}`]
  // An ingress peer passes the user's request on; it never acts.
  return [...user, ...actors, ...(caller === undefined || caller.isIngress ? [] : [caller.id])]
}

function isRefusedAsExpected({ refusal }: Step, deniedBy: readonly Refusal[]): boolean {
  if (refusal === undefined) return deniedBy.length === 0
  const isThere = deniedBy.some(
    ({ principal, role }) => principal === refusal.principal && role === refusal.role,
  )
  return isThere && (!refusal.alone || deniedBy.length === 1)
}
