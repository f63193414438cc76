import type { DecisionRecord } from '../audit/format/record.ts'
import { createTally, type Sightings, sighted } from '../authoring/tally.ts'

/** A caller whose requests lack a required chain, and the likely cause. */
export type ChainGap = {
  readonly agent: string
  /**
   * `drops`: it received a chain before, and called without one. `not-given`: chains reach its service, which does not
   * declare `forwards`. `starved`: its own callers send none. `unseen`: it had received no call through a waypoint.
   * `no-entry`: ingress brought a user to a service that is no `entry`.
   */
  readonly kind: 'drops' | 'not-given' | 'starved' | 'unseen' | 'no-entry'
  /** The services that it called without a chain. */
  readonly services: readonly string[]
  readonly calls: Sightings
  /** When it received chains. */
  readonly received: Sightings | undefined
}

/** Collects receivers of chains and callers without one. */
export type MissingChains = {
  /** `isDenial`: the record counts as one that would be denied. */
  readonly add: (record: DecisionRecord, isDenial: boolean) => void
  readonly gaps: () => readonly ChainGap[]
  readonly cut: () => number
}

/** The calls to a service, by the SPIFFE ID of its own calls. */
type Callee = {
  readonly received: Sightings | undefined
  readonly withoutMinting: number
  readonly withoutChain: number
}
type Gap = Pick<ChainGap, 'agent' | 'services' | 'calls'> & { readonly isFirstHop: boolean }

const maxAgents = 2000
const maxServices = 20

/** Starts empty. */
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
  // A chain that arrived after the last call without one does not explain these calls.
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
