import { readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { mustDecide } from './decides.ts'
import type { Concurrency } from './h2load.ts'
import { type Case, type Pace, type Row, runRounds } from './rounds.ts'
import type { Server } from './servers.ts'
import type { World } from './world.ts'

/** What one part of the benchmark found. */
export type Section = {
  readonly name: SectionName
  readonly rows: readonly Row[]
  /** What else is to be said, a sentence each. */
  readonly notes: readonly string[]
}

export type SectionName = 'warm' | 'cold' | 'policies' | 'audit' | 'rates'

type Run = (world: World, pace: Pace) => Promise<Omit<Section, 'name'>>

const one: Concurrency = { connections: 1, streams: 32 }
const four: Concurrency = { connections: 4, streams: 100 }
const transports = ['lean', 'grpc-js'] as const
const perSecond = [1000, 5000]

/** The parts of the benchmark, in their order; each starts its own servers and stops them. */
export const sections: Readonly<Record<SectionName, Run>> = { warm, cold, policies, audit, rates }

/** Every server, asked the same again and again. */
async function warm(world: World, pace: Pace): ReturnType<Run> {
  const servers = [...(await startBoth(world)), await world.startBareGrpcJs(), await world.startBareGo()]
  const cases = servers.flatMap((server) =>
    [one, four].map((concurrency) => ({
      server,
      load: nameOf(concurrency),
      run: (seconds: number) => world.warm(server, seconds, concurrency),
    })),
  )
  return { rows: await finish(cases, pace), notes: [] }
}

/** Nothing that helps has been asked before, or one request in twenty has not. */
async function cold(world: World, pace: Pace): ReturnType<Run> {
  const servers = await startBoth(world, 'cold', ['count-hits.mjs'])
  const before = await Promise.all(servers.map(hitsOf))
  const cold = await runRounds(
    servers.map((server) => ({
      server,
      load: 'cold',
      run: (seconds: number) => world.cold(server, seconds, one),
    })),
    pace,
  )
  const after = await Promise.all(servers.map(hitsOf))
  const notes = servers.map(({ name }, index) => {
    const hits = (after[index]?.hits ?? 0) - (before[index]?.hits ?? 0)
    return `${name}: ${hits} cache hits of ${after[index]?.misses ?? 0} questions to a memory while cold`
  })
  const mixed = servers.map((server) => ({
    server,
    load: '95 % warm, 5 % cold',
    run: (seconds: number) => world.mixed(server, seconds, one),
  }))
  return { rows: [...cold, ...(await finish(mixed, pace))], notes }
}

/** The same, with ten policies and with thousands. */
async function policies(world: World, pace: Pace): ReturnType<Run> {
  const counts = [10, 1000, 10_000]
  const servers: Server[] = []
  for (const count of counts) {
    const policies = world.policies(count)
    const name = `lean, ${count.toLocaleString('en')} policies`
    servers.push(await world.startWaywarden({ name, transport: 'lean', policies }))
  }
  await decideAll(world, servers)
  const cases = servers.flatMap((server) => [
    { server, load: 'warm', run: (seconds: number) => world.warm(server, seconds, one) },
    { server, load: 'cold', run: (seconds: number) => world.cold(server, seconds, one) },
  ])
  return { rows: await finish(cases, pace), notes: [] }
}

/** What the record costs: without an audit log, which no configuration allows. */
async function audit(world: World, pace: Pace): ReturnType<Run> {
  const servers = [...(await startBoth(world)), ...(await startBoth(world, 'no record', ['no-audit.mjs']))]
  const cases = servers.map((server) => ({
    server,
    load: 'warm',
    run: (seconds: number) => world.warm(server, seconds, one),
  }))
  return { rows: await finish(cases, pace), notes: [] }
}

/** Latencies when requests come at a rate, whether answers come or not. */
async function rates(world: World, pace: Pace): ReturnType<Run> {
  const servers = [...(await startBoth(world)), await world.startBareGrpcJs(), await world.startBareGo()]
  const cases = perSecond.flatMap((rate) =>
    servers.map((server) => ({
      server,
      load: `${rate.toLocaleString('en')} a second`,
      run: (seconds: number) => world.atRate(server, seconds, rate),
    })),
  )
  return { rows: await finish(cases, pace), notes: [] }
}

function nameOf({ connections, streams }: Concurrency): string {
  return `c${connections} m${streams}`
}

/** A Waywarden for each transport, with few policies, that has shown that it decides. */
async function startBoth(
  world: World,
  suffix?: string,
  preload: readonly ('count-hits.mjs' | 'no-audit.mjs')[] = [],
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

async function decideAll({ requests }: World, servers: readonly Server[]): Promise<void> {
  for (const server of servers) await mustDecide(server, requests)
}

async function finish(cases: readonly Case[], pace: Pace): Promise<readonly Row[]> {
  const rows = await runRounds(cases, pace)
  const servers = new Set(cases.map(({ server }) => server))
  await Promise.all([...servers].map(({ running }) => running.stop('SIGTERM')))
  return rows
}

/** What count-hits.mjs has counted so far. */
async function hitsOf({ running, log }: Server): Promise<{ readonly hits: number; readonly misses: number }> {
  const seen = readFileSync(log, 'utf8').split('remembered ').length
  process.kill(running.pid, 'SIGUSR2')
  for (;;) {
    const said = readFileSync(log, 'utf8').split('remembered ')
    if (said.length > seen) return JSON.parse(said.at(-1)?.split('\n')[0] ?? '')
    await wait(20)
  }
}
