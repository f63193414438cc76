import { median } from './figures.ts'
import { trendOf } from './trend.ts'

/** The figures of one server in a slice of a soak. */
export type Sample = {
  /** Since the soak began. */
  readonly hours: number
  readonly rssMib: number
  readonly descriptors: number
  /** Microseconds. */
  readonly p99: number
}

/** The verdict over all samples; `problems` is empty when the server could go on like this. */
export type Verdict = { readonly said: readonly string[]; readonly problems: readonly string[] }

/** Below this nobody can tell a leak from a heap that finds its size. */
const mibPerHour = 10
/** Connections of somebody who scrapes, a segment that is being closed. */
const descriptorsMore = 5
const p99Ratio = 1.5

/** Judges a soak by what came after its first third, in which caches and heaps find their size. */
export function toVerdict(samples: readonly Sample[]): Verdict {
  const settled = samples.slice(Math.floor(samples.length / 3))
  const half = Math.floor(settled.length / 2)
  const [earlier, later] = [settled.slice(0, half), settled.slice(half)]
  const { slope, standardError } = trendOf(settled.map(({ hours, rssMib }) => [hours, rssMib]))
  const [before, after] = [earlier, later].map((part) => median(part.map(({ p99 }) => p99)) / 1000)
  const [fewest, most] = [earlier, later].map((part) => median(part.map(({ descriptors }) => descriptors)))
  const certain = slope - 2 * standardError
  const all: readonly (readonly [said: string, isProblem: boolean])[] = [
    [
      `memory ${signed(slope)} ± ${(2 * standardError).toFixed(1)} MiB/h around ${Math.round(median(settled.map(({ rssMib }) => rssMib)))} MiB`,
      certain > mibPerHour,
    ],
    [`descriptors ${fewest}, then ${most}`, (most ?? 0) > (fewest ?? 0) + descriptorsMore],
    [`p99 ${before?.toFixed(1)} ms, then ${after?.toFixed(1)} ms`, (after ?? 0) > (before ?? 0) * p99Ratio],
  ]
  return {
    said: all.map(([said]) => said),
    problems: all.flatMap(([said, isProblem]) => (isProblem ? [said] : [])),
  }
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(1)}`
}
