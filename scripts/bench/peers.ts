import { mustDecide } from './decides.ts'
import { startOpa } from './opa.ts'
import type { Case } from './rounds.ts'
import { finish, four, nameOf, one, type Section, startBoth } from './section.ts'
import { startOther } from './servers.ts'

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
      'OPA-Envoy verifies the same chain (ES256) and asks the same of each member in Rego; it signs nothing and keeps no record. Bare servers decide nothing.',
    async run(world, pace) {
      const ours = await startBoth(world)
      const deciding = opa === undefined ? [] : [await startOpa(world, opa)]
      for (const server of deciding) await mustDecide(server, world.requests)
      const others = [await world.startBareGo()]
      for (const [name, program] of bare)
        others.push(await startOther(world.processes, world.directory, name, program, (address) => [address]))
      const warm = [...ours, ...deciding, ...others].flatMap((server) =>
        [one, four].map((concurrency): Case => {
          const run = (seconds: number) => world.warm(server, seconds, concurrency)
          return { server, load: nameOf(concurrency), run }
        }),
      )
      const cold = [...ours, ...deciding].map((server): Case => {
        return { server, load: 'cold', run: (seconds) => world.cold(server, seconds, one) }
      })
      return { rows: await finish([...warm, ...cold], pace), notes: [] }
    },
  }
}
