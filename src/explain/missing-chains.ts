import type { DecisionRecord } from '../audit/format/record.ts'
import { createTally, type Sightings, sighted } from '../authoring/tally.ts'

/** A caller whose requests came without the chain they need, and what the log knows of why. */
export type ChainGap = {
  readonly agent: string
  /**
   * `drops`: it was handed a chain before, and called without. `not-given`: chains reach it, but its service does not
   * say `forwards`. `starved`: its own callers bring none. `unseen`: nobody had called it through a waypoint by then.
   * `no-entry`: ingress brought a user to a service that is no `entry`.
   */
  readonly kind: 'drops' | 'not-given' | 'starved' | 'unseen' | 'no-entry'
  /** The services that it called so. */
  readonly services: readonly string[]
  readonly calls: Sightings
  /** When it was handed a chain. */
  readonly received: Sightings | undefined
}

/** Collects who receives chains and who calls without one. */
export type MissingChains = {
  /** `isDenial`: the record counts as one that would be denied. */
  readonly add: (record: DecisionRecord, isDenial: boolean) => void
  readonly gaps: () => readonly ChainGap[]
  readonly cut: () => number
}

/** What reached a service, by the SPIFFE ID that it calls with. */
type Callee = {
  readonly received: Sightings | undefined
  readonly withoutMinting: number
  readonly withoutChain: number
}
type Gap = Pick<ChainGap, 'agent' | 'services' | 'calls'> & { readonly isFirstHop: boolean }

const maxAgents = 2000
const maxServices = 20

/** Starts to collect. */
export function createMissingChains(): MissingChains {
  const callees = createTally<Callee>(maxAgents)
  const gaps = createTally<Gap>(maxAgents)
  return {
    add(record, isDenial) {
      const { service, caller, chain } = record
      if (service !== undefined && record.outcome !== 'deny') {
        callees.update([service.spiffeId], (before) => toCallee(before, record))
      }
      if (!isDenial || record.code !== 'chain_missing' || caller === undefined) return
      const isFirstHop = chain?.kind === 'first-hop'
      gaps.update([caller.id, String(isFirstHop)], (before) => ({
        agent: caller.id,
        isFirstHop,
        services: withService(before?.services ?? [], service?.name),
        calls: sighted(before?.calls, record),
      }))
    },
    gaps: () =>
      gaps
        .values()
        .map((gap) => toGap(gap, callees.find([gap.agent])))
        .sort((a, b) => b.calls.count - a.calls.count),
    cut: () => gaps.cut() + callees.cut(),
  }
}

function toCallee(before: Callee | undefined, record: DecisionRecord): Callee {
  const isBare = record.chain === undefined || record.chain.kind === 'none'
  return {
    received: record.jtiOut === undefined ? before?.received : sighted(before?.received, record),
    withoutMinting: (before?.withoutMinting ?? 0) + (record.jtiOut === undefined && !isBare ? 1 : 0),
    withoutChain: (before?.withoutChain ?? 0) + (isBare ? 1 : 0),
  }
}

function toGap({ isFirstHop, ...gap }: Gap, callee: Callee | undefined): ChainGap {
  const received = callee?.received
  // A chain that came after the last call without one proves nothing of these calls.
  if (!isFirstHop && received !== undefined && received.first <= gap.calls.last) {
    return { ...gap, kind: 'drops', received }
  }
  return { ...gap, kind: isFirstHop ? 'no-entry' : kindOf(callee), received: undefined }
}

function kindOf(callee: Callee | undefined): ChainGap['kind'] {
  if (callee === undefined) return 'unseen'
  if (callee.withoutMinting > 0) return 'not-given'
  return callee.withoutChain > 0 ? 'starved' : 'unseen'
}

function withService(before: readonly string[], name: string | undefined): readonly string[] {
  const isKept = name === undefined || before.includes(name) || before.length >= maxServices
  return isKept ? before : [...before, name]
}
