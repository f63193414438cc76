import type { Row } from './rounds.ts'
import type { Found } from './section.ts'

type Column = { readonly title: string; readonly of: (row: Row) => string }

const columns: readonly Column[] = [
  { title: 'Server', of: ({ server }) => server },
  { title: 'Load', of: ({ load }) => load },
  { title: 'Requests/s', of: ({ figures }) => whole(figures.perSecond) },
  { title: 'CPU µs a call', of: ({ figures }) => short(figures.cpu) },
  { title: 'Requests per CPU-second', of: ({ figures }) => whole(1e6 / figures.cpu) },
  { title: 'p50', of: ({ figures }) => toMs(figures.p50) },
  { title: 'p99', of: ({ figures }) => toMs(figures.p99) },
  { title: 'p99.9', of: ({ figures }) => toMs(figures.p999) },
  { title: 'RSS', of: ({ figures }) => `${whole(figures.rssMib)} MiB` },
]

/** A section as a Markdown table, aligned for a terminal. */
export function toTable({ rows, notes }: Found): string {
  const cells = [columns.map(({ title }) => title), ...rows.map((row) => columns.map(({ of }) => of(row)))]
  const widths = columns.map((_, index) => Math.max(...cells.map((line) => line[index]?.length ?? 0)))
  const [head = '', ...body] = cells.map((line) =>
    toLine(line.map((cell, index) => cell.padEnd(widths[index] ?? 0))),
  )
  const rule = toLine(widths.map((width) => '-'.repeat(width)))
  const said = notes.map((note) => `${note}.`)
  const table = rows.length === 0 ? [] : [[head, rule, ...body].join('\n')]
  return [...table, ...said].join('\n\n')
}

function toLine(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en')
}

/** Two digits that count. */
function short(value: number): string {
  return value < 100 ? value.toPrecision(2) : whole(value)
}

function toMs(micros: number): string {
  return micros < 100_000 ? `${(micros / 1000).toPrecision(2)} ms` : `${whole(micros / 1000)} ms`
}
