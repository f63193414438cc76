import { type Case, runRounds } from './rounds.ts'
import { finish, four, nameOf, one, type Section, startBoth } from './section.ts'
import type { Server } from './servers.ts'
import { told } from './told.ts'

const perSecond = [1000, 5000]

/** Every server, asked the same again and again. */
export const warm: Section = {
  title: 'Warm',
  about:
    'The same request again and again, as fast as answers come. A bare server decides nothing, so its cost is the cost of the transport.',
  async run(world, pace) {
    const servers = [...(await startBoth(world)), await world.startBareGrpcJs(), await world.startBareGo()]
    const cases = servers.flatMap((server) =>
      [one, four].map((concurrency): Case => {
        return {
          server,
          load: nameOf(concurrency),
          run: (seconds) => world.warm(server, seconds, concurrency),
        }
      }),
    )
    return { rows: await finish(cases, pace), notes: [] }
  },
}

/** Nothing that helps has been asked before, or one request in twenty has not. */
export const cold: Section = {
  title: 'Cold and mixed',
  about:
    'Cold: a new chain and another patient in each request, so that a signature is verified, three principals are judged, a chain is signed and a record is written each time. Mixed: one request in twenty is cold.',
  async run(world, pace) {
    const servers = await startBoth(world, 'counted', ['count-hits.mjs'])
    const before = await Promise.all(servers.map(hitsOf))
    const cases = servers.map((server): Case => {
      return { server, load: 'cold', run: (seconds) => world.cold(server, seconds, one) }
    })
    const cold = await runRounds(cases, pace)
    const after = await Promise.all(servers.map(hitsOf))
    const notes = servers.map(({ name }, index) => {
      const hits = (after[index]?.hits ?? 0) - (before[index]?.hits ?? 0)
      const misses = (after[index]?.misses ?? 0) - (before[index]?.misses ?? 0)
      return `${name}: while cold, ${hits.toLocaleString('en')} cache hits and ${misses.toLocaleString('en')} misses`
    })
    const mixed = servers.map((server): Case => {
      return { server, load: '95 % warm, 5 % cold', run: (seconds) => world.mixed(server, seconds, one) }
    })
    return { rows: [...cold, ...(await finish(mixed, pace))], notes }
  },
}

/** Latencies when requests come at a rate, whether answers come or not. */
export const rates: Section = {
  title: 'At a fixed rate',
  about:
    'Requests are due at even distances, whether answers come or not, and a latency counts from when its request was due.',
  async run(world, pace) {
    const servers = [...(await startBoth(world)), await world.startBareGrpcJs(), await world.startBareGo()]
    const cases = perSecond.flatMap((rate) =>
      servers.map((server): Case => {
        const load = `${rate.toLocaleString('en')} a second`
        return { server, load, run: (seconds) => world.atRate(server, seconds, rate) }
      }),
    )
    return { rows: await finish(cases, pace), notes: [] }
  },
}

/** The counts of count-hits.mjs so far. */
function hitsOf(server: Server): Promise<{ readonly hits: number; readonly misses: number }> {
  return told(server, 'remembered')
}
