import { freePorts } from '../../demo/ports.ts'
import { type Lane, startEnvoy } from './envoy.ts'
import type { Case } from './rounds.ts'
import { decideAll, finish, type Section } from './section.ts'
import type { Server } from './servers.ts'
import type { World } from './world.ts'

const perSecond = 1000

/** The latency that an ext_authz filter adds to a request, by the server that it asks. */
export const throughEnvoy: Section = {
  title: 'Through Envoy',
  about: `${perSecond.toLocaleString('en')} requests a second through one Envoy worker that answers them itself, without an ext_authz filter (off) and with one that asks each server. What a server adds is its latency less that of \`off\`, where processor time and memory are Envoy’s own.`,
  async run(world, pace) {
    const [off = 0, ...ports] = await freePorts(5)
    const servers = await startServers(world, ports.slice(0, 2))
    const asked = servers.map(
      ({ name, port: asks }, index): Lane => ({ name, port: ports[index] ?? 0, asks }),
    )
    const envoy = await startEnvoy(world.processes, world.directory, [
      { name: 'off', port: off, asks: undefined },
      ...asked,
    ])
    const unguarded: Server = { name: 'off', port: off, running: envoy, log: '' }
    const cases = [unguarded, ...servers].map((server, index): Case => {
      const port = [off, ...ports][index] ?? 0
      return {
        server,
        load: 'through Envoy',
        run: (seconds) => world.throughEnvoy(port, seconds, perSecond),
      }
    })
    const rows = await finish(cases, pace)
    return { rows, notes: [] }
  },
}

/** Envoy names the address that a request came to, so the catalog has the ports of its lanes. */
async function startServers(world: World, ports: readonly number[]): Promise<readonly Server[]> {
  const policies = world.policies(
    10,
    ports.map((port) => `127.0.0.1:${port}`),
  )
  const deciding = [
    await world.startWaywarden({ name: 'lean', transport: 'lean', policies }),
    await world.startWaywarden({ name: 'grpc-js', transport: 'grpc-js', policies }),
  ]
  await decideAll(world, deciding)
  return [...deciding, await world.startBareGrpcJs(), await world.startBareGo()]
}
