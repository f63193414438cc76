import type { DecisionRecord } from '../audit/format/record.ts'
import { type ProofLevel, supersedes } from '../audit/log/proof-level.ts'
import type { Subject } from '../base/model/chain.ts'

/** A record, and how far it is proven. */
export type ProvenRecord = { readonly record: DecisionRecord; readonly standing: ProofLevel }

/** One decision of a transaction, and those that its callee asked for in turn. */
export type Hop = ProvenRecord & {
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

/** A hop where a walk over all of them meets it. */
export type Visit = {
  readonly hop: Hop
  /** How many hops stand above it. */
  readonly depth: number
  readonly isLast: boolean
  readonly parent: Hop | undefined
}

type Growing = Hop & { isDetached: boolean; readonly next: Growing[] }

/** Joins the records of one transaction from all replicas: a chain's `jti` links the hop that minted it to those that presented it. */
export function toTransaction(txn: string, records: readonly ProvenRecord[]): Transaction | undefined {
  const hops = toHops(records)
  const [first, last] = [hops[0], hops.at(-1)]
  if (first === undefined || last === undefined) return undefined
  const minters = new Map<string, Growing>()
  for (const hop of hops) {
    const { jtiOut } = hop.record
    if (jtiOut !== undefined && !minters.has(jtiOut)) minters.set(jtiOut, hop)
  }
  const parents = new Map(hops.map((hop) => [hop, minters.get(hop.record.jtiIn ?? '')]))
  breakCircles(hops, parents)
  const roots: Growing[] = []
  for (const hop of hops) {
    const parent = parents.get(hop)
    hop.isDetached = parent === undefined && hop.record.jtiIn !== undefined
    if (parent === undefined) roots.push(hop)
    else parent.next.push(hop)
  }
  return {
    txn,
    subject: hops.map(({ record }) => subjectOf(record)).find((subject) => subject !== undefined),
    decisions: hops.length,
    first: first.record.time,
    last: last.record.time,
    hops: roots,
  }
}

/**
 * All hops, each before those that follow from it. Without recursion: an agent that calls itself makes a transaction as deep as
 * it likes.
 */
export function* visitHops({ hops }: Pick<Transaction, 'hops'>): Generator<Visit> {
  const waiting = toVisits(hops, 0, undefined)
  for (let visit = waiting.pop(); visit !== undefined; visit = waiting.pop()) {
    yield visit
    for (const next of toVisits(visit.hop.next, visit.depth + 1, visit.hop)) waiting.push(next)
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

/**
 * A hop for each decision, by time. The best proven record of a decision counts, and of those the last: an allow whose record was
 * not in time is refused under the same id.
 */
function toHops(records: readonly ProvenRecord[]): readonly Growing[] {
  const decisions = new Map<string, ProvenRecord>()
  for (const found of records) {
    const { decisionId } = found.record
    if (supersedes(found.standing, decisions.get(decisionId)?.standing)) decisions.set(decisionId, found)
  }
  return [...decisions.values()]
    .sort(byTime)
    .map(({ record, standing }) => ({ record, standing, isDetached: false, next: [] }))
}

/** Records that are not signed may claim each other as predecessors. The first of a circle then counts as detached. */
function breakCircles(hops: readonly Growing[], parents: Map<Growing, Growing | undefined>): void {
  const done = new Set<Growing>()
  for (const start of hops) {
    const path = new Set<Growing>()
    let hop: Growing | undefined = start
    while (hop !== undefined && !done.has(hop) && !path.has(hop)) {
      path.add(hop)
      hop = parents.get(hop)
    }
    if (hop !== undefined && path.has(hop)) parents.set(hop, undefined)
    for (const each of path) done.add(each)
  }
}

/** The last first: they are taken from the end. */
function toVisits(hops: readonly Hop[], depth: number, parent: Hop | undefined): Visit[] {
  return hops.map((hop, index) => ({ hop, depth, isLast: index === hops.length - 1, parent })).toReversed()
}

function byTime({ record: one }: ProvenRecord, { record: other }: ProvenRecord): number {
  return one.time.localeCompare(other.time)
}

function subjectOf({ chain }: DecisionRecord): Subject | undefined {
  return chain === undefined || chain.kind === 'none' ? undefined : chain.subject
}
