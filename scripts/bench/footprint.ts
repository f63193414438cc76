import { join } from 'node:path'
import { median, rssMib } from './figures.ts'
import { decideAll, one, type Section, stopAll } from './section.ts'

const starts = 5
/** The defaults of `cache.chains` and `cache.decisions`. */
const chains = 5000
const decisions = 20_000
const hospital = join(import.meta.dirname, '../../policies')

/** How long it takes from the start of the process to the first answer, and how much memory full caches take. */
export const footprint: Section = {
  title: 'Start and memory',
  about:
    'From the start of the process until it says that it is ready, with the policies of the hospital; and its memory once it has seen more chains and decisions than the caches of default size keep.',
  async run(world, { rounds }) {
    const startsMs: number[] = []
    for (let start = 0; start < starts; start++) {
      const begunMs = performance.now()
      const server = await world.startWaywarden({ name: 'lean', transport: 'lean', policies: hospital })
      startsMs.push(performance.now() - begunMs)
      await stopAll([server])
    }
    const server = await world.startWaywarden({
      name: 'lean',
      transport: 'lean',
      policies: world.policies(10),
    })
    await decideAll(world, [server])
    const empty = rssMib(server.running.pid)
    // A quick run is over before the caches are full.
    const isWhole = rounds > 1
    await world.ask(server, isWhole ? chains : 1000, one, 'another chain')
    for (let asked = chains; isWhole && asked < decisions; asked += chains)
      await world.ask(server, chains, one, 'another patient')
    const full = rssMib(server.running.pid)
    await stopAll([server])
    const startMs = median(startsMs)
    const notes = [
      `Ready after ${Math.round(startMs)} ms (median of ${starts} starts)`,
      `RSS ${Math.round(empty)} MiB at first, ${Math.round(full)} MiB after ${isWhole ? `${chains.toLocaleString('en')} chains and ${decisions.toLocaleString('en')} decisions` : '1,000 chains'}`,
    ]
    return { rows: [], notes, facts: isWhole ? { startMs, fullRssMib: full } : { startMs } }
  },
}
