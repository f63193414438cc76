import { readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { type Bar, toBarChart } from './chart.ts'
import { type Results, toGoals } from './goals.ts'
import type { Row } from './rounds.ts'
import type { Section } from './section.ts'
import { toTable } from './table.ts'

const docs = join(import.meta.dirname, '../../docs')
const file = join(docs, 'performance.md')
const few = 'c1 m32'

type Chart = {
  readonly file: string
  readonly title: string
  readonly unit: string
  readonly part: 'warm' | 'cold' | 'policies' | 'envoy' | 'peers'
  readonly load?: string
  readonly value: (row: Row) => number
}

const charts: readonly Chart[] = [
  {
    file: 'performance-warm.svg',
    title: `CPU of the server for each warm call (${few})`,
    unit: 'µs',
    part: 'warm',
    load: few,
    value: ({ figures }) => figures.cpu,
  },
  {
    file: 'performance-policies.svg',
    title: 'CPU for each cold call, by the number of policies',
    unit: 'µs',
    part: 'policies',
    load: 'cold',
    value: ({ figures }) => figures.cpu,
  },
  {
    file: 'performance-envoy.svg',
    title: 'p99 of a request through Envoy at 1,000 a second',
    unit: 'ms',
    part: 'envoy',
    value: ({ figures }) => figures.p99 / 1000,
  },
  {
    file: 'performance-peers.svg',
    title: `Requests a second beside other authorizers, warm (${few})`,
    unit: '',
    part: 'peers',
    load: few,
    value: ({ figures }) => figures.perSecond,
  },
]

/** Tables and goals as Markdown, for the page or for a terminal. */
export function toMarkdown(results: Results, sections: Readonly<Record<string, Section>>): string {
  const parts = [...results].map(([name, found]) => {
    const { title = name, about = '' } = sections[name] ?? {}
    const images = charts
      .filter(({ part }) => part === name)
      .map(({ file: image, title: alt }) => `\n\n![${alt}](${image})`)
    return `### ${title}\n\n${about}\n\n${toTable(found)}${images.join('')}`
  })
  const goals = toGoals(results).map(
    ({ goal, found, isMet }) => `| ${goal} | ${found} | ${isMet ? 'met' : '**missed**'} |`,
  )
  const table = ['### Goals', '', '| Goal | Found | |', '| --- | --- | --- |', ...goals].join('\n')
  return [...parts, ...(goals.length === 0 ? [] : [table])].join('\n\n')
}

/** Puts what was found between the markers of the page, and draws its charts beside it. */
export function writePage(marker: string, conditions: string, markdown: string, results: Results): void {
  const [begin, end] = [`<!-- ${marker}: generated, do not edit -->`, `<!-- ${marker}: end -->`]
  const page = readFileSync(file, 'utf8')
  const [start, stop] = [page.indexOf(begin), page.indexOf(end)]
  if (start < 0 || stop < start) throw new Error(`${file}: expected the lines \`${begin}\` and \`${end}\``)
  const generated = `${begin}\n\n${conditions}\n\n${markdown}\n\n`
  writeFileSync(file, page.slice(0, start) + generated + page.slice(stop))
  for (const chart of charts) draw(chart, results)
}

/** Describes the machine, and how busy it was with other work. */
export function describeMachine(h2load: string, load: number): string {
  const [first] = cpus()
  const machine = `${cpus().length} cores of an ${first?.model.trim() ?? 'unknown processor'}, Node.js ${process.versions.node}, ${h2load}`
  return `Measured on ${machine}; load generators, Envoy and servers share the cores. The load average before was ${load.toFixed(1)}.`
}

function draw({ file: name, title, unit, part, load, value }: Chart, results: Results): void {
  const rows = (results.get(part)?.rows ?? []).filter((row) => load === undefined || row.load === load)
  if (rows.length === 0) return
  const bars = rows.map((row): Bar => {
    const isOurs = row.server.startsWith('lean') || row.server.startsWith('grpc-js')
    return { label: row.server, value: value(row), isOurs }
  })
  writeFileSync(join(docs, name), toBarChart(title, unit, bars))
}
