import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
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

/** The cost of the record: a server without an audit log, which no configuration allows. */
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

/** The cost of spans: one check in a hundred, sent to a receiver that discards them. */
export const tracing: Section = {
  title: 'What tracing costs',
  about: 'Requests without a trace context, with `tracing` left out and with one check in a hundred sampled.',
  async run(world, pace) {
    const receiver = createServer((request, response) => request.resume().once('end', () => response.end()))
    await once(receiver.listen(0, '127.0.0.1'), 'listening')
    // A server that listens on a TCP port has an address of this kind.
    const { port } = receiver.address() as AddressInfo
    const sampled = { tracing: { sample: 0.01, endpoints: [{ url: `http://127.0.0.1:${port}` }] } }
    const options = { transport: 'lean', policies: world.policies(10) } as const
    const servers = [
      await world.startWaywarden({ ...options, name: 'lean, not traced' }),
      await world.startWaywarden({ ...options, name: 'lean, 1 % sampled', overlay: sampled }),
    ]
    await decideAll(world, servers)
    const cases = servers.map((server): Case => {
      return { server, load: 'warm', run: (seconds) => world.warmUntraced(server, seconds, one) }
    })
    const rows = await finish(cases, pace)
    receiver.close()
    return { rows, notes: [] }
  },
}
