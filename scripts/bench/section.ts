import { mustDecide } from './decides.ts'
import type { Concurrency } from './h2load.ts'
import { type Case, type Pace, type Row, runRounds } from './rounds.ts'
import type { Preload, Server } from './servers.ts'
import type { World } from './world.ts'

/** The results of one part of the benchmark. */
export type Found = {
  readonly rows: readonly Row[]
  /** Further remarks, a sentence each. */
  readonly notes: readonly string[]
  /** Figures that no load gives, by what they measure. */
  readonly facts?: Readonly<Record<string, number>>
}

/** One part of the benchmark: it starts its own servers, and stops them. */
export type Section = {
  readonly title: string
  /** A description, in a sentence or two. */
  readonly about: string
  readonly run: (world: World, pace: Pace) => Promise<Found>
}

/** Few requests at once, and many. */
export const one: Concurrency = { connections: 1, streams: 32 }
export const four: Concurrency = { connections: 4, streams: 100 }

const transports = ['lean', 'grpc-js'] as const

/** How a load is named in tables. */
export function nameOf({ connections, streams }: Concurrency): string {
  return `c${connections} m${streams}`
}

/** A Waywarden for each transport, with few policies, that has shown that it decides. */
export async function startBoth(
  world: World,
  suffix?: string,
  preload: readonly Preload[] = [],
): Promise<readonly Server[]> {
  const policies = world.policies(10)
  const servers: Server[] = []
  for (const transport of transports) {
    const name = suffix === undefined ? transport : `${transport}, ${suffix}`
    servers.push(await world.startWaywarden({ name, transport, policies, preload }))
  }
  await decideAll(world, servers)
  return servers
}

/** A Waywarden of two workers, that has shown that it decides. It shares out connections: one alone is one worker's. */
export async function startWorkers(world: World): Promise<Server> {
  const policies = world.policies(10)
  const overlay = { workers: 2 }
  const server = await world.startWaywarden({ name: 'lean, 2 workers', transport: 'lean', policies, overlay })
  await decideAll(world, [server])
  return server
}

/** Fails unless each of the servers really decides. */
export async function decideAll({ requests }: World, servers: readonly Server[]): Promise<void> {
  for (const server of servers) await mustDecide(server, requests)
}

/** Runs the cases and stops their servers. */
export async function finish(cases: readonly Case[], pace: Pace): Promise<readonly Row[]> {
  const rows = await runRounds(cases, pace)
  await stopAll(new Set(cases.map(({ server }) => server)))
  return rows
}

/** Stops servers, whatever they are doing. */
export async function stopAll(servers: Iterable<Server>): Promise<void> {
  await Promise.all([...servers].map(({ running }) => running.stop('SIGTERM')))
}
