import type { Figures } from './figures.ts'
import type { Row } from './rounds.ts'
import type { Found } from './section.ts'
import type { SectionName } from './sections.ts'

/** The results of a run, by its parts; some may be absent. */
export type Results = ReadonlyMap<SectionName | 'peers', Found>

/** A goal of the project, and how far it is reached. */
export type Goal = { readonly goal: string; readonly found: string; readonly isMet: boolean }

type Ratio = {
  readonly goal: string
  readonly part: SectionName | 'peers'
  readonly of: readonly [server: string, load: string]
  readonly to: readonly [server: string, load: string]
  readonly figure: (figures: Figures, all: readonly Row[]) => number
  readonly atLeast?: number
  readonly atMost?: number
}

const loads = ['c1 m32', 'c4 m100']
const perSecond = ({ perSecond }: Figures) => perSecond
const perCpuSecond = ({ cpu }: Figures) => 1 / cpu
const cost = ({ cpu }: Figures) => cpu
/** The latency that an ext_authz filter adds to a request. */
const added = (key: 'p50' | 'p99') => (figures: Figures, all: readonly Row[]) =>
  figures[key] - (all.find(({ server }) => server === 'off')?.figures[key] ?? 0)

const ratios: readonly Ratio[] = [
  ...loads.flatMap((load): readonly Ratio[] => [
    {
      goal: `lean, warm, ${load}: requests per CPU-second, at least 2 × bare Go`,
      part: 'warm',
      of: ['lean', load],
      to: ['bare Go', load],
      figure: perCpuSecond,
      atLeast: 2,
    },
    {
      goal: `grpc-js, warm, ${load}: requests/s, at least 0.85 × bare grpc-js`,
      part: 'warm',
      of: ['grpc-js', load],
      to: ['bare grpc-js', load],
      figure: perSecond,
      atLeast: 0.85,
    },
    {
      goal: `lean, warm, ${load}: requests/s, at least 1 × bare tonic`,
      part: 'peers',
      of: ['lean', load],
      to: ['bare tonic', load],
      figure: perSecond,
      atLeast: 1,
    },
    {
      goal: `lean, warm, ${load}: requests/s, at least 10 × OPA-Envoy`,
      part: 'peers',
      of: ['lean', load],
      to: ['OPA-Envoy', load],
      figure: perSecond,
      atLeast: 10,
    },
  ]),
  {
    goal: 'lean, cold: requests/s, at least 1.5 × OPA-Envoy',
    part: 'peers',
    of: ['lean', 'cold'],
    to: ['OPA-Envoy', 'cold'],
    figure: perSecond,
    atLeast: 1.5,
  },
  ...['warm', 'cold'].map((load): Ratio => {
    return {
      goal: `10,000 policies, ${load}: CPU a call, at most 1.3 × that with 10`,
      part: 'policies',
      of: ['lean, 10,000 policies', load],
      to: ['lean, 10 policies', load],
      figure: cost,
      atMost: 1.3,
    }
  }),
  ...(['p50', 'p99'] as const).map((key): Ratio => {
    return {
      goal: `lean, through Envoy at 1,000 a second: added ${key}, at most 1 × bare Go`,
      part: 'envoy',
      of: ['lean', 'through Envoy'],
      to: ['bare Go', 'through Envoy'],
      figure: added(key),
      atMost: 1,
    }
  }),
]

/** Every goal that the results can tell about. */
export function toGoals(results: Results): readonly Goal[] {
  return [...ratios.flatMap((ratio) => toGoal(ratio, results)), ...toLimits(results)]
}

function toGoal({ goal, part, of, to, figure, atLeast, atMost }: Ratio, results: Results): readonly Goal[] {
  const rows = results.get(part)?.rows ?? []
  const find = ([server, load]: Ratio['of']) => rows.find((row) => row.server === server && row.load === load)
  const [one, other] = [find(of), find(to)]
  if (one === undefined || other === undefined) return []
  const ratio = figure(one.figures, rows) / figure(other.figures, rows)
  const isMet =
    ratio >= (atLeast ?? Number.NEGATIVE_INFINITY) && ratio <= (atMost ?? Number.POSITIVE_INFINITY)
  return [{ goal, found: `${ratio.toFixed(2)} ×`, isMet }]
}

function toLimits(results: Results): readonly Goal[] {
  const { startMs, fullRssMib } = results.get('footprint')?.facts ?? {}
  return [
    { goal: 'ready with the hospital, under 1,000 ms', value: startMs, limit: 1000, unit: 'ms' },
    { goal: 'RSS with full caches, under 150 MiB', value: fullRssMib, limit: 150, unit: 'MiB' },
  ].flatMap(({ goal, value, limit, unit }) =>
    value === undefined ? [] : [{ goal, found: `${Math.round(value)} ${unit}`, isMet: value < limit }],
  )
}
