import type { DecisionRecord } from '../audit/format/record.ts'
import { type ProofLevel, supersedes } from '../audit/log/proof-level.ts'
import type { Subject } from '../base/model/chain.ts'

/** A record and its proof level. */
export type ProvenRecord = { readonly record: DecisionRecord; readonly standing: ProofLevel }

/** One decision of a transaction, and the decisions for calls of its callee. */
export type Hop = ProvenRecord & {
  /** True if the logs do not contain the hop that issued its chain. */
  readonly isDetached: boolean
  readonly next: readonly Hop[]
}

/** All decisions of one transaction, by hop, and its user. */
export type Transaction = {
  readonly txn: string
  readonly subject: Subject | undefined
  readonly decisions: number
  readonly first: string
  readonly last: string
  readonly hops: readonly Hop[]
}

/** A hop during a walk. */
export type Visit = {
  readonly hop: Hop
  /** The number of hops above it. */
  readonly depth: number
  readonly isLast: boolean
  readonly parent: Hop | undefined
}

type Growing = Hop & { isDetached: boolean; readonly next: Growing[] }

/**
 * Builds a transaction from the records of all replicas. A chain's `jti` links the hop that minted it to the hops that
 * presented it.
 */
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
 * Yields all hops, each before its followers. It is iterative, because an agent that calls itself can make a transaction
 * arbitrarily deep.
 */
export function* visitHops({ hops }: Pick<Transaction, 'hops'>): Generator<Visit> {
  const waiting = toVisits(hops, 0, undefined)
  for (let visit = waiting.pop(); visit !== undefined; visit = waiting.pop()) {
    yield visit
    for (const next of toVisits(visit.hop.next, visit.depth + 1, visit.hop)) waiting.push(next)
  }
}

/** Returns the actors before a detached hop, first agent first, from its chain. */
export function actorsBefore({ chain }: DecisionRecord): readonly string[] {
  return chain?.kind === 'delegated' ? chain.actors.toReversed().map(({ id }) => id) : []
}

/** Returns the policies that decided: those that refused, else those that permitted. */
export function decidingPolicies({ results }: DecisionRecord): readonly string[] {
  const refusing = results.filter(({ outcome }) => outcome !== 'permit')
  const policies = (refusing.length > 0 ? refusing : results).flatMap((result) => [
    ...result.policies,
    ...result.errors.map(({ policy }) => policy),
  ])
  return [...new Set(policies.map(({ file, line }) => `${file}:${line}`))]
}

/**
 * Returns one hop for each decision, by time. The best proven record counts, and of those the last: an allow that was
 * recorded too late is refused under the same id.
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

/** Unsigned records may claim each other as predecessors. Then the first hop of the circle counts as detached. */
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

/** The last one first, because items are taken from the end. */
function toVisits(hops: readonly Hop[], depth: number, parent: Hop | undefined): Visit[] {
  return hops.map((hop, index) => ({ hop, depth, isLast: index === hops.length - 1, parent })).toReversed()
}

function byTime({ record: one }: ProvenRecord, { record: other }: ProvenRecord): number {
  return one.time.localeCompare(other.time)
}

function subjectOf({ chain }: DecisionRecord): Subject | undefined {
  return chain === undefined || chain.kind === 'none' ? undefined : chain.subject
}
