import type { Case } from './rounds.ts'
import { decideAll, finish, one, type Section, startBoth } from './section.ts'
import type { Server } from './servers.ts'

const counts = [10, 1000, 10_000]

/** The same, with ten policies and with thousands. */
export const policies: Section = {
  title: 'By the number of policies',
  about: 'The same checks in a repository with more and more services, five policies for each.',
  async run(world, pace) {
    const servers: Server[] = []
    for (const count of counts) {
      const name = `lean, ${count.toLocaleString('en')} policies`
      servers.push(await world.startWaywarden({ name, transport: 'lean', policies: world.policies(count) }))
    }
    await decideAll(world, servers)
    const cases = servers.flatMap((server): readonly Case[] => [
      { server, load: 'warm', run: (seconds) => world.warm(server, seconds, one) },
      { server, load: 'cold', run: (seconds) => world.cold(server, seconds, one) },
    ])
    return { rows: await finish(cases, pace), notes: [] }
  },
}

/** What the record costs: without an audit log, which no configuration allows. */
export const audit: Section = {
  title: 'What the record costs',
  about: 'Beside it a Waywarden whose audit log the benchmark has taken out, which no configuration allows.',
  async run(world, pace) {
    const without = await startBoth(world, 'no record', ['no-audit.mjs'])
    const servers = [...(await startBoth(world)), ...without]
    const cases = servers.map((server): Case => {
      return { server, load: 'warm', run: (seconds) => world.warm(server, seconds, one) }
    })
    return { rows: await finish(cases, pace), notes: [] }
  },
}
