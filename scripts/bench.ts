import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import type { Results } from './bench/goals.ts'
import { findH2load } from './bench/h2load.ts'
import { describeMachine, toMarkdown, writePage } from './bench/page.ts'
import { createPeers } from './bench/peers.ts'
import type { Pace } from './bench/rounds.ts'
import type { Found, Section } from './bench/section.ts'
import { type SectionName, sections } from './bench/sections.ts'
import { toTable } from './bench/table.ts'
import { openWorld } from './bench/world.ts'

// Measures a check, beside servers that decide nothing. Without arguments it writes docs/performance.md and its charts.
// `--quick` takes a minute and prints alone: for comparing two states of the code. `--only warm,cold` prints some
// parts. `--profile DIR` leaves a CPU profile of each Waywarden there, which costs them something: its figures are not
// to be compared. `--peers` asks the programs of others that `--opa PATH` and `--bare "NAME=PATH"` bring, and writes
// their part of the page.

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    profile: { type: 'string' },
    peers: { type: 'boolean', default: false },
    opa: { type: 'string' },
    bare: { type: 'string', multiple: true, default: [] },
  },
})
const full: Pace = { seconds: 2, rounds: 3 }
const quick: Pace = { seconds: 1, rounds: 1 }
/** The parts that `--quick` leaves out, because they take long. */
const slow: readonly string[] = ['policies', 'audit', 'footprint']

const h2load = await findH2load()
const [busy = 0] = loadavg()
const chosen = choose()
const results = await runAll(chosen, values.quick ? quick : full)
const markdown = toMarkdown(results, chosen)
console.log(markdown)
if (!values.quick && values.only === undefined && values.profile === undefined) {
  const marker = values.peers ? 'bench:peers' : 'bench'
  writePage(marker, describeMachine(h2load, busy), markdown, results)
}

function choose(): Readonly<Record<string, Section>> {
  if (values.peers) return { peers: createPeers({ opa: values.opa, bare: new Map(values.bare.map(toPair)) }) }
  const names = values.only?.split(',') ?? Object.keys(sections)
  const unknown = names.filter((name) => !isSectionName(name))
  if (unknown.length > 0)
    throw new Error(
      `--only: expected some of ${Object.keys(sections).join(', ')}, found ${unknown.join(', ')}`,
    )
  const wanted = names.filter((name) => values.only !== undefined || !values.quick || !slow.includes(name))
  return Object.fromEntries(wanted.filter(isSectionName).map((name) => [name, sections[name]]))
}

async function runAll(parts: Readonly<Record<string, Section>>, pace: Pace): Promise<Results> {
  await using world = await openWorld(values.profile)
  const found = new Map<SectionName | 'peers', Found>()
  for (const [name, section] of Object.entries(parts)) {
    console.error(`bench: ${name}`)
    const one = await section.run(world, pace)
    // At once, so that a part that fails does not take the others with it.
    console.error(toTable(one))
    found.set(isSectionName(name) ? name : 'peers', one)
  }
  return found
}

function toPair(text: string): readonly [string, string] {
  const [name = '', ...path] = text.split('=')
  if (path.length === 0) throw new Error(`--bare: expected NAME=PATH, found \`${text}\``)
  return [name, path.join('=')]
}

function isSectionName(name: string): name is SectionName {
  return name in sections
}
