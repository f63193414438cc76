import { execFileSync } from 'node:child_process'
import { appendFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { waywardenProgram } from '../demo/waywarden.ts'
import { rssMib } from './bench/figures.ts'
import type { Server } from './bench/servers.ts'
import { type Sample, toVerdict } from './bench/verdict.ts'
import { openWorld, type World } from './bench/world.ts'

// Half the load that it can take for 20 minutes (or `--minutes N`), on both transports, while policies are reloaded, keys
// rotated and connections opened and closed. Ends with 1 when memory grows, descriptors leak or answers become slower.

const sliceSeconds = 10
const connections = 16
const overlay = {
  // Full from the beginning, so that what grows is not a cache.
  cache: { decisions: 5000, chains: 2000 },
  // Segments come and go all the time, and the disk does not fill up.
  audit: { segmentSize: '16MiB', retention: { size: '128MiB' } },
}

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '20' } } })
const slices = Math.max(6, Math.floor((Number(values.minutes) * 60) / sliceSeconds))
await using world = await openWorld()
const policies = world.policies(10)
const servers = [
  await world.startWaywarden({ name: 'lean', transport: 'lean', policies, overlay }),
  await world.startWaywarden({ name: 'grpc-js', transport: 'grpc-js', policies, overlay }),
]
const loads = await Promise.all(
  servers.map(async (server) => {
    const { calls, seconds } = await world.mixed(server, 3, { connections: 4, streams: 32 })
    return { server, rate: calls / seconds / 2, samples: [] as Sample[] }
  }),
)
for (const { server, rate } of loads) console.log(`${server.name}: ${Math.round(rate)} requests/s`)
const startedMs = performance.now()
for (let slice = 0; slice < slices; slice++) {
  const [samples] = await Promise.all([
    Promise.all(loads.map(({ server, rate }) => soak(world, server, rate))),
    wait((sliceSeconds * 1000) / 3).then(() => change(slice)),
  ])
  for (const [index, sample] of samples.entries()) loads[index]?.samples.push(sample)
}
for (const { server, samples } of loads) {
  const { said, problems } = toVerdict(samples)
  console.log(`${server.name}: ${said.join('; ')}: ${problems.length === 0 ? 'steady' : 'NOT STEADY'}`)
  if (problems.length > 0) process.exitCode = 1
}

/** Puts the load on a server over new connections, and looks at it when they are closed again. */
async function soak(from: World, server: Server, rate: number): Promise<Sample> {
  const { p99 } = await from.mixedAtRate(server, sliceSeconds, rate, connections)
  const { pid } = server.running
  return {
    hours: (performance.now() - startedMs) / 3_600_000,
    rssMib: rssMib(pid),
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    p99,
  }
}

/** Does an operator's work: publishes a key, activates it, and changes a policy. */
function change(slice: number): void {
  if (slice % 3 === 2) appendFileSync(join(policies, 'service-0/policies.cedar'), `// ${slice}\n`)
  else execFileSync(process.execPath, [waywardenProgram, 'keys', 'rotate', world.keys, '--overlap', '15s'])
}
