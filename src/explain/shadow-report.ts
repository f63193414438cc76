import type { ShadowDifference, ShadowLine } from '../audit/format/shadow-line.ts'
import { byEffect } from '../authoring/outcome.ts'
import { createTally } from '../authoring/tally.ts'

/** The differing decisions of one shadow revision, over all meta lines of all replicas. */
export type ShadowSummary = Omit<ShadowLine, 'version' | 'kind'>

/** Builds a bounded summary from meta lines of shadow revisions. */
export type ShadowReport = {
  readonly add: (meta: ShadowLine) => void
  /** The latest pair of revisions first. */
  readonly summaries: () => readonly ShadowSummary[]
}

type Counts = Omit<ShadowSummary, 'differences'>

const maxPairs = 500
const maxDifferences = 5000
const maxExamples = 3

/** Starts empty. */
export function createShadowReport(): ShadowReport {
  const pairs = createTally<Counts>(maxPairs)
  const differences = createTally<ShadowDifference & Pick<ShadowLine, 'live' | 'shadow'>>(maxDifferences)
  return {
    add({ live, shadow, differences: found, ...meta }) {
      let cut = meta.cut
      for (const each of found) {
        const { service, action, caller, before, after } = each
        const key = [live, shadow, service, action, caller, JSON.stringify([before, after])]
        const cutBefore = differences.cut()
        differences.update(key, (now) => ({ live, shadow, ...together(now, each) }))
        if (differences.cut() > cutBefore) cut += each.count
      }
      pairs.update([live, shadow], (now) => added(now, { ...meta, live, shadow, cut }))
    },
    summaries() {
      return pairs
        .values()
        .map((pair) => ({ ...pair, differences: differencesOf(pair, differences.values()) }))
        .sort((one, other) => (one.until < other.until ? 1 : -1))
    },
  }
}

function added(now: Counts | undefined, meta: Counts): Counts {
  const { live, shadow, since, until, judged, dropped, cut } = meta
  if (now === undefined) return { live, shadow, since, until, judged, dropped, cut }
  // Times in our UTC format compare as texts.
  const [first = since] = [since, now.since].sort()
  const last = [until, now.until].sort().at(-1) ?? until
  return {
    live,
    shadow,
    since: first,
    until: last,
    judged: now.judged + judged,
    dropped: now.dropped + dropped,
    cut: now.cut + cut,
  }
}

function together(now: ShadowDifference | undefined, meta: ShadowDifference): ShadowDifference {
  if (now === undefined) return meta
  const examples = [...now.examples, ...meta.examples].slice(0, maxExamples)
  return { ...now, count: now.count + meta.count, examples }
}

function differencesOf(
  pair: Counts,
  all: readonly (ShadowDifference & Pick<ShadowLine, 'live' | 'shadow'>)[],
): readonly ShadowDifference[] {
  return all
    .filter(({ live, shadow }) => live === pair.live && shadow === pair.shadow)
    .map(({ live: _live, shadow: _shadow, ...difference }) => difference)
    .sort((one, other) => byEffect(one, other) || other.count - one.count)
}
