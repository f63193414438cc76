import type { Case } from './rounds.ts'
import { decideAll, finish, four, type Section, startWorkers } from './section.ts'

/** One process that decides, and two under one that hands them connections. */
export const cores: Section = {
  title: 'On two cores',
  about:
    '`workers: 2` beside one process, over 4 connections with 100 requests at once on each. Processor time and memory are those of all processes together. On a machine of two cores the load generator takes its share of both.',
  async run(world, pace) {
    const policies = world.policies(10)
    const single = await world.startWaywarden({ name: 'lean, one process', transport: 'lean', policies })
    await decideAll(world, [single])
    const servers = [single, await startWorkers(world)]
    const cases = servers.flatMap((server): readonly Case[] => [
      { server, load: 'warm', run: (seconds) => world.warm(server, seconds, four) },
      { server, load: 'cold', run: (seconds) => world.cold(server, seconds, four) },
    ])
    return { rows: await finish(cases, pace), notes: [] }
  },
}
