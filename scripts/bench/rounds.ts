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

const warmUpSeconds = 1

/**
 * Runs every case once in each round and takes the medians: what else goes on meanwhile then meets all cases alike. The
 * first round, which nobody counts, lets compilers and memories settle.
 */
export async function runRounds(cases: readonly Case[], { seconds, rounds }: Pace): Promise<readonly Row[]> {
  for (const one of cases) await runOf(one)(warmUpSeconds)
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

function runOf({ server, load, run }: Case): Case['run'] {
  return async (seconds) => {
    try {
      return await run(seconds)
    } catch (cause) {
      throw new Error(`${server.name}, ${load}: ${String(cause)}`, { cause })
    }
  }
}
