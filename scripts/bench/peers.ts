import { mustDecide } from './decides.ts'
import type { Concurrency } from './h2load.ts'
import { startOpa } from './opa.ts'
import type { Case } from './rounds.ts'
import { finish, four, nameOf, one, type Section, startBoth, startWorkers } from './section.ts'
import { type Server, startOther } from './servers.ts'
import type { World } from './world.ts'

/** Programs of others, that their user has brought. */
export type Peers = {
  readonly opa: string | undefined
  /** Servers that decide nothing, by their names; each takes the address to listen on. */
  readonly bare: ReadonlyMap<string, string>
}

/** Waywarden beside what users could pick instead. */
export function createPeers({ opa, bare }: Peers): Section {
  return {
    title: 'Beside other authorizers',
    about:
      'OPA-Envoy verifies the same chain (ES256) and asks the same of each member in Rego; it signs nothing and keeps no record. Bare servers decide nothing. All but `lean` and `grpc-js`, which are one process each, use every core.',
    async run(world, pace) {
      const ours = await startBoth(world)
      const several = await startWorkers(world)
      const deciding = opa === undefined ? [] : [await startOpa(world, opa)]
      for (const server of deciding) await mustDecide(server, world.requests)
      const others = [await world.startBareGo()]
      for (const [name, program] of bare)
        others.push(await startOther(world.processes, world.directory, name, program, (address) => [address]))
      const few = [...ours, ...deciding, ...others].map((server) => toWarm(world, server, one))
      const many = [...ours, several, ...deciding, ...others].map((server) => toWarm(world, server, four))
      const cold = [...ours, ...deciding].map((server) => toCold(world, server, one, 'cold'))
      const coldMany = [several, ...deciding].map((server) =>
        toCold(world, server, four, `cold, ${nameOf(four)}`),
      )
      return { rows: await finish([...few, ...many, ...cold, ...coldMany], pace), notes: [] }
    },
  }
}

function toWarm(world: World, server: Server, concurrency: Concurrency): Case {
  return { server, load: nameOf(concurrency), run: (seconds) => world.warm(server, seconds, concurrency) }
}

function toCold(world: World, server: Server, concurrency: Concurrency, load: string): Case {
  return { server, load, run: (seconds) => world.cold(server, seconds, concurrency) }
}
