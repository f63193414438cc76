import { join } from 'node:path'
import { median, rssMib } from './figures.ts'
import { decideAll, one, type Section, stopAll } from './section.ts'
import type { Server } from './servers.ts'
import { told } from './told.ts'
import type { World } from './world.ts'

const starts = 5
/** The defaults of `cache.chains` and `cache.decisions`. */
const chains = 5000
const decisions = 20_000
const fewChains = 1000
const hospital = join(import.meta.dirname, '../../policies')

/** How long it takes from the start of the process to the first answer, and how much memory full caches take. */
export const footprint: Section = {
  title: 'Start and memory',
  about:
    'From the start of the process until it says that it is ready, with the policies of the hospital; and its memory once it has seen more chains and decisions than the caches of default size keep.',
  async run(world, { rounds }) {
    // A quick run is over before the caches are full.
    const isWhole = rounds > 1
    const startMs = await medianStart(world)
    const { empty, full } = await measureMemory(world, isWhole)
    const asked = isWhole
      ? `${chains.toLocaleString('en')} chains and ${decisions.toLocaleString('en')} decisions`
      : `${fewChains.toLocaleString('en')} chains`
    const resident = `RSS ${toMib(empty.rssMib)} at first, ${toMib(full.rssMib)} after ${asked}`
    const inUse = `${toMib(full.heapMib)} is heap in use once garbage is collected, ${toMib(empty.heapMib)} at first`
    const notes = [
      `Ready after ${Math.round(startMs)} ms (median of ${starts} starts)`,
      `${resident}; of that, ${inUse}`,
    ]
    return { rows: [], notes, facts: isWhole ? { startMs, fullRssMib: full.rssMib } : { startMs } }
  },
}

function toMib(mib: number): string {
  return `${Math.round(mib)} MiB`
}

async function medianStart(world: World): Promise<number> {
  const startsMs: number[] = []
  for (let start = 0; start < starts; start++) {
    const begunMs = performance.now()
    const server = await world.startWaywarden({ name: 'lean', transport: 'lean', policies: hospital })
    startsMs.push(performance.now() - begunMs)
    await stopAll([server])
  }
  return median(startsMs)
}

type Memory = { readonly rssMib: number; readonly heapMib: number }

/** To collect garbage changes what is resident: heap is read last, and at first in a process of its own. */
async function measureMemory(
  world: World,
  isWhole: boolean,
): Promise<{ readonly empty: Memory; readonly full: Memory }> {
  const server = await startDeciding(world)
  const emptyRssMib = rssMib(server.running.pid)
  await world.ask(server, isWhole ? chains : fewChains, one, 'another chain')
  for (let asked = chains; isWhole && asked < decisions; asked += chains)
    await world.ask(server, chains, one, 'another patient')
  const full = { rssMib: rssMib(server.running.pid), heapMib: await heapMib(server) }
  await stopAll([server])
  const fresh = await startDeciding(world)
  const empty = { rssMib: emptyRssMib, heapMib: await heapMib(fresh) }
  await stopAll([fresh])
  return { empty, full }
}

async function startDeciding(world: World): Promise<Server> {
  const policies = world.policies(10)
  const preload = ['weigh-heap.mjs'] as const
  const server = await world.startWaywarden({ name: 'lean', transport: 'lean', policies, preload })
  await decideAll(world, [server])
  return server
}

/** The figures of weigh-heap.mjs after a garbage collection. */
async function heapMib(server: Server): Promise<number> {
  const { usedBytes } = await told<{ readonly usedBytes: number }>(server, 'heap')
  return usedBytes / 1024 ** 2
}
