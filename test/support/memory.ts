import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** The resident memory of this process once everything that nobody holds is gone, in MiB. */
export async function residentMebibytes(): Promise<number> {
  await collectGarbage()
  return process.memoryUsage.rss() / 1024 / 1024
}

/** The result of `make`, and the growth of the heap for it. */
export async function measureHeap<T>(
  make: () => T | Promise<T>,
): Promise<{ readonly made: T; readonly bytes: number }> {
  await collectGarbage()
  const before = process.memoryUsage().heapUsed
  const made = await make()
  await collectGarbage()
  return { made, bytes: process.memoryUsage().heapUsed - before }
}

async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  for (let round = 0; round < 3; round++) {
    collect()
    // WebAssembly memory is given back by finalizers, which run between turns.
    await new Promise((resolve) => setImmediate(resolve))
  }
}
