import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** The resident memory of this process once everything that nobody holds is gone, in MiB. */
export async function residentMebibytes(): Promise<number> {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  for (let round = 0; round < 3; round++) {
    collect()
    // WebAssembly memory is given back by finalizers, which run between turns.
    await new Promise((resolve) => setImmediate(resolve))
  }
  return process.memoryUsage.rss() / 1024 / 1024
}
