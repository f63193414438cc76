import { expect } from 'chai'
import type { Figures } from '../../scripts/bench/figures.ts'
import { toGoals } from '../../scripts/bench/goals.ts'
import { toMarkdown } from '../../scripts/bench/page.ts'
import { type Row, runRounds } from '../../scripts/bench/rounds.ts'
import { decideAll, one } from '../../scripts/bench/section.ts'
import { type Sample, toVerdict } from '../../scripts/bench/verdict.ts'
import { openWorld } from '../../scripts/bench/world.ts'

describe('bench', () => {
  it('puts its loads on a Waywarden that decides, and renders what it found', async () => {
    await using world = await openWorld()
    const policies = world.policies(10)
    const server = await world.startWaywarden({ name: 'lean', transport: 'lean', policies })
    await decideAll(world, [server])
    const cases = [
      { server, load: 'cold', run: (seconds: number) => world.cold(server, seconds, one) },
      { server, load: '100 a second', run: (seconds: number) => world.atRate(server, seconds, 100) },
    ]
    const rows = await runRounds(cases, { seconds: 1, rounds: 1 })
    const lines = toMarkdown(new Map([['cold', { rows, notes: [] }]]), {}).split('\n')
    expect(lines.filter((line) => line.startsWith('| lean'))).to.have.length(cases.length)
    for (const { figures } of rows) expect(Object.values(figures)).to.satisfy(areNumbers)
  })

  for (const { name, cpu, isMet } of [
    { name: 'met', cpu: 10, isMet: true },
    { name: 'missed', cpu: 16, isMet: false },
  ]) {
    it(`calls a goal ${name} by the ratio within one run`, () => {
      const rows = [row('lean', cpu), row('bare Go', 30)]
      const [goal, ...others] = toGoals(new Map([['warm', { rows, notes: [] }]]))
      expect(goal?.found).to.equal(`${(30 / cpu).toFixed(2)} ×`)
      expect(goal?.isMet).to.equal(isMet)
      expect(others).to.deep.equal([])
    })
  }

  const steady: Sample = { hours: 0, rssMib: 100, descriptors: 20, p99: 1000 }
  for (const { name, sampleAt, problems } of [
    { name: 'what stays as it is', sampleAt: (hours: number) => ({ ...steady, hours }), problems: [] },
    {
      name: 'memory that grows',
      sampleAt: (hours: number) => ({ ...steady, hours, rssMib: 100 + 20 * hours }),
      problems: ['memory +20.0 ± 0.0 MiB/h around 113 MiB'],
    },
    {
      name: 'descriptors that stay open',
      sampleAt: (hours: number) => ({ ...steady, hours, descriptors: 20 + 30 * hours }),
      problems: ['descriptors 35, then 45'],
    },
    {
      name: 'answers that become slower',
      sampleAt: (hours: number) => ({ ...steady, hours, p99: hours < 0.7 ? 1000 : 2000 }),
      problems: ['p99 1.0 ms, then 2.0 ms'],
    },
  ]) {
    it(`judges a soak: ${name}`, () => {
      const samples = Array.from({ length: 13 }, (_, index) => sampleAt(index / 12))
      expect(toVerdict(samples).problems).to.deep.equal(problems)
    })
  }
})

function row(server: string, cpu: number): Row {
  return { server, load: 'c1 m32', figures: { cpu, perSecond: 1, p50: 1, p99: 1, p999: 1, rssMib: 1 } }
}

function areNumbers(values: readonly Figures[keyof Figures][]): boolean {
  return values.every((value) => Number.isFinite(value) && value >= 0)
}
