import { type Figures, type Load, measure, medianOf } from './figures.ts'
import type { Server } from './servers.ts'

/** One line of a table: what was asked of whom, and what came out. */
export type Row = { readonly server: string; readonly load: string; readonly figures: Figures }

/** One load on one server. */
export type Case = {
  readonly server: Server
  readonly load: string
  readonly run: (seconds: number) => Promise<Load>
}

/** How long each run takes, and how often each is repeated. */
export type Pace = { readonly seconds: number; readonly rounds: number }

/** Until compilers have seen enough, or a busy machine has been waited for long enough. */
const warmUp = { calls: 20_000, seconds: 4 }

/**
 * Runs every case once in each round and takes the medians: what else goes on meanwhile then meets all cases alike. Before
 * it counts, compilers and memories settle.
 */
export async function runRounds(cases: readonly Case[], { seconds, rounds }: Pace): Promise<readonly Row[]> {
  for (const one of cases) await settle(runOf(one), seconds)
  const runs = cases.map((): Figures[] => [])
  for (let round = 0; round < rounds; round++) {
    for (const [index, one] of cases.entries()) {
      runs[index]?.push(await measure(one.server.running.pid, () => runOf(one)(seconds)))
    }
  }
  return cases.map(({ server, load }, index) => {
    return { server: server.name, load, figures: medianOf(runs[index] ?? []) }
  })
}

async function settle(run: Case['run'], paceSeconds: number): Promise<void> {
  let calls = 0
  for (let second = 0; second < Math.min(warmUp.seconds, paceSeconds * 2) && calls < warmUp.calls; second++)
    calls += (await run(1)).calls
}

function runOf({ server, load, run }: Case): Case['run'] {
  return async (seconds) => {
    try {
      return await run(seconds)
    } catch (cause) {
      throw new Error(`${server.name}, ${load}: ${String(cause)}`, { cause })
    }
  }
}
