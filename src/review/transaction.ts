import type { DecisionRecord } from '../audit/record.ts'
import type { Subject } from '../model/chain.ts'

/** One decision of a transaction, and those that its callee asked for in turn. */
export type Hop = {
  readonly record: DecisionRecord
  /** The hop that handed over this one's chain is in none of the logs that were read. */
  readonly isDetached: boolean
  readonly next: readonly Hop[]
}

/** Everything that was decided in one transaction: on whose behalf, and from hop to hop. */
export type Transaction = {
  readonly txn: string
  readonly subject: Subject | undefined
  readonly decisions: number
  readonly first: string
  readonly last: string
  readonly hops: readonly Hop[]
}

/** Joins the records of one transaction, whoever wrote them: a chain's `jti` links the hop that minted it to those that presented it. */
export function toTransaction(txn: string, records: readonly DecisionRecord[]): Transaction | undefined {
  // The last record of a decision counts: an allow whose record was not in time is refused under the same id.
  const decisions = [...new Map(records.map((record) => [record.decisionId, record])).values()].sort(byTime)
  const [first, last] = [decisions[0], decisions.at(-1)]
  if (first === undefined || last === undefined) return undefined
  const minters = new Map(
    decisions.toReversed().flatMap((record) => (record.jtiOut ? [[record.jtiOut, record]] : [])),
  )
  const parents = new Map(
    decisions.map((record) => [record, record.jtiIn ? minters.get(record.jtiIn) : undefined]),
  )
  const children = new Map<DecisionRecord | undefined, DecisionRecord[]>()
  for (const record of decisions) {
    const parent = parents.get(record)
    const siblings = children.get(parent)
    if (siblings === undefined) children.set(parent, [record])
    else siblings.push(record)
  }
  const toHop = (record: DecisionRecord): Hop => ({
    record,
    isDetached: record.jtiIn !== undefined && parents.get(record) === undefined,
    next: (children.get(record) ?? []).map(toHop),
  })
  return {
    txn,
    subject: decisions.map(subjectOf).find((subject) => subject !== undefined),
    decisions: decisions.length,
    first: first.time,
    last: last.time,
    hops: (children.get(undefined) ?? []).map(toHop),
  }
}

/** Who acted before a detached hop, the user's first agent first, as its chain says. */
export function actorsBefore({ chain }: DecisionRecord): readonly string[] {
  return chain?.kind === 'delegated' ? chain.actors.toReversed().map(({ id }) => id) : []
}

/** The policies that made the decision: those that refused, or else those that permitted. */
export function decidingPolicies({ results }: DecisionRecord): readonly string[] {
  const refusing = results.filter(({ outcome }) => outcome !== 'permit')
  const policies = (refusing.length > 0 ? refusing : results).flatMap((result) => [
    ...result.policies,
    ...result.errors.map(({ policy }) => policy),
  ])
  return [...new Set(policies.map(({ file, line }) => `${file}:${line}`))]
}

function byTime(one: DecisionRecord, other: DecisionRecord): number {
  return one.time.localeCompare(other.time)
}

function subjectOf({ chain }: DecisionRecord): Subject | undefined {
  return chain === undefined || chain.kind === 'none' ? undefined : chain.subject
}
