import { parseArgs } from 'node:util'
import { findH2load } from './bench/h2load.ts'
import type { Pace } from './bench/rounds.ts'
import { type SectionName, sections } from './bench/sections.ts'
import { toTable } from './bench/table.ts'
import { openWorld } from './bench/world.ts'

// What a check costs, beside servers that decide nothing. `--quick` takes about a minute and is good for comparing two
// states of the code; `--only warm,cold` runs some sections alone.

const full: Pace = { seconds: 3, rounds: 3 }
const quick: Pace = { seconds: 1, rounds: 1 }
/** What `--quick` leaves out takes long. */
const slow: readonly SectionName[] = ['policies', 'audit']

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string' } },
})
const names = Object.keys(sections).filter(isSectionName)
const chosen = values.only?.split(',') ?? names.filter((name) => !values.quick || !slow.includes(name))
const unknown = chosen.filter((name) => !isSectionName(name))
if (unknown.length > 0)
  throw new Error(`--only: expected some of ${names.join(', ')}, found ${unknown.join(', ')}`)

await findH2load()
await using world = await openWorld()
for (const name of chosen.filter(isSectionName)) {
  console.error(`bench: ${name}`)
  const found = await sections[name](world, values.quick ? quick : full)
  console.log(`\n## ${name}\n\n${toTable({ name, ...found })}`)
}

function isSectionName(name: string): name is SectionName {
  return name in sections
}
