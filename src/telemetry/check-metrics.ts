import { Counter, Histogram, type Registry } from 'prom-client'
import type { DenyCode } from '../base/model/decision.ts'

type Outcome = 'allow' | 'observed' | 'deny'

/** Counts one check; `code` is the reason for the refusal, enforced or observed. */
export type CountCheck = (outcome: Outcome, code: DenyCode | undefined, durationSeconds: number) => void

/** The counts of one outcome; `inBucket` has the count of each bucket, and at the end the count above all. */
type Tally = {
  readonly byCode: Map<DenyCode | undefined, number>
  readonly inBucket: number[]
  sumSeconds: number
}

/** Seconds: a warm check takes tens of microseconds, and Envoy times out after 250 ms. */
export const buckets: readonly number[] = [
  0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15,
  0.25, 1,
]

/**
 * Creates the metrics of checks. They are counted here and passed to prom-client at a scrape. Passing each sample would
 * sort and join labels, which costs a warm check half a microsecond.
 */
export function createCheckMetrics(registry: Registry): CountCheck {
  const tallies = new Map<Outcome, Tally>()
  const registers = [registry]
  new Counter({
    name: 'waywarden_checks_total',
    help: 'Decided checks by outcome and code: empty for an allow, the suppressed refusal when observed',
    labelNames: ['outcome', 'code'],
    registers,
    collect() {
      this.reset()
      for (const [outcome, { byCode }] of tallies) {
        for (const [code, count] of byCode) this.inc({ outcome, code: code ?? '' }, count)
      }
    },
  })
  new DurationHistogram(tallies, registers)
  return (outcome, code, durationSeconds) => {
    const tally = tallies.get(outcome) ?? addTally(tallies, outcome)
    tally.byCode.set(code, (tally.byCode.get(code) ?? 0) + 1)
    const bucket = bucketOf(durationSeconds)
    tally.inBucket[bucket] = (tally.inBucket[bucket] ?? 0) + 1
    tally.sumSeconds += durationSeconds
  }
}

function addTally(tallies: Map<Outcome, Tally>, outcome: Outcome): Tally {
  const tally = { byCode: new Map(), inBucket: new Array(buckets.length + 1).fill(0), sumSeconds: 0 }
  tallies.set(outcome, tally)
  return tally
}

function bucketOf(seconds: number): number {
  let bucket = 0
  while (bucket < buckets.length && seconds > (buckets[bucket] ?? 0)) bucket++
  return bucket
}

type Sample = {
  readonly metricName: string
  readonly labels: { readonly le?: number | '+Inf' }
  readonly sharedLabels: { readonly outcome: Outcome }
  readonly value: number
}

const durations = {
  name: 'waywarden_check_duration_seconds',
  help: 'Duration of a check, from the received CheckRequest to its answer',
}

/** A histogram of externally counted values. */
class DurationHistogram extends Histogram<'outcome'> {
  readonly #tallies: ReadonlyMap<Outcome, Tally>

  constructor(tallies: ReadonlyMap<Outcome, Tally>, registers: Registry[]) {
    super({ ...durations, labelNames: ['outcome'], buckets: [...buckets], registers })
    this.#tallies = tallies
  }

  /** Overrides the method that the registry of prom-client 15 calls on a histogram; its types omit this method. */
  async getForPromString(): Promise<object> {
    const values = [...this.#tallies].flatMap(([outcome, tally]) => toSamples(outcome, tally))
    return { ...durations, type: 'histogram', aggregator: 'sum', values }
  }
}

function toSamples(outcome: Outcome, { inBucket, sumSeconds }: Tally): readonly Sample[] {
  const { name } = durations
  const sharedLabels = { outcome }
  let count = 0
  const inBuckets = [...buckets, '+Inf' as const].map((le, bucket) => {
    count += inBucket[bucket] ?? 0
    return { metricName: `${name}_bucket`, labels: { le }, sharedLabels, value: count }
  })
  return [
    ...inBuckets,
    { metricName: `${name}_sum`, labels: {}, sharedLabels, value: sumSeconds },
    { metricName: `${name}_count`, labels: {}, sharedLabels, value: count },
  ]
}
