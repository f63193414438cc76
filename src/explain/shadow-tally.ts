import type { ShadowLine, ShadowOutcome } from '../audit/format/shadow-line.ts'
import type { Outcome } from '../authoring/outcome.ts'
import { createTally, type Tally } from '../authoring/tally.ts'
import type { Comparison } from './shadow.ts'

/** A decision that was judged again: its time, and both revisions. */
export type Judged = {
  readonly decisionId: string
  readonly nowMs: number
  readonly live: string
  readonly shadow: string
}

/** Counts the decisions of a shadow revision between two meta lines. */
export type ShadowTally = {
  readonly add: (comparison: Comparison, judged: Judged) => void
  /** Counts checks that were dropped and not judged again. */
  readonly drop: (count: number) => void
  /** Returns the counts since the last call, one meta line for each pair of revisions, and resets them. */
  readonly take: () => readonly ShadowLine[]
}

type Counted = Omit<Comparison, 'isSame'> & { readonly count: number; readonly examples: readonly string[] }
type Period = Pick<ShadowLine, 'live' | 'shadow'> & {
  readonly sinceMs: number
  readonly differences: Tally<Counted>
  untilMs: number
  judged: number
  dropped: number
}

// Callers choose some of the names, and a meta line is one line of the log.
const maxDifferences = 200
const maxExamples = 3
const maxPolicies = 20

/** Starts empty. */
export function createShadowTally(): ShadowTally {
  let periods: Period[] = []
  let dropped = 0
  const periodOf = ({ live, shadow, nowMs }: Judged): Period => {
    const latest = periods.at(-1)
    if (latest?.live === live && latest.shadow === shadow) return latest
    const differences = createTally<Counted>(maxDifferences)
    const begun = { live, shadow, sinceMs: nowMs, untilMs: nowMs, differences, judged: 0, dropped }
    dropped = 0
    periods.push(begun)
    return begun
  }
  return {
    add(comparison, judged) {
      const period = periodOf(judged)
      period.judged++
      period.untilMs = judged.nowMs
      if (!comparison.isSame) count(period.differences, comparison, judged.decisionId)
    },
    drop(more) {
      const latest = periods.at(-1)
      if (latest === undefined) dropped += more
      else latest.dropped += more
    },
    take() {
      const taken = periods.map(toMetaLine)
      periods = []
      return taken
    },
  }
}

function count(differences: Tally<Counted>, comparison: Comparison, decisionId: string): void {
  const { service, action, caller } = comparison
  const [before, after] = [toBounded(comparison.before), toBounded(comparison.after)]
  differences.update([service, action, caller, JSON.stringify([before, after])], (now) => {
    const examples = now?.examples ?? []
    return {
      service,
      action,
      caller,
      before,
      after,
      count: (now?.count ?? 0) + 1,
      examples: examples.length < maxExamples ? [...examples, decisionId] : examples,
    }
  })
}

function toBounded({ decision, deniedBy, policies }: Outcome): ShadowOutcome {
  return { decision, deniedBy, policies: policies.slice(0, maxPolicies) }
}

function toMetaLine({ live, shadow, sinceMs, untilMs, judged, dropped, differences }: Period): ShadowLine {
  return {
    version: 1,
    kind: 'shadow',
    since: new Date(sinceMs).toISOString(),
    until: new Date(untilMs).toISOString(),
    live,
    shadow,
    judged,
    dropped,
    differences: differences.values(),
    cut: differences.cut(),
  }
}
