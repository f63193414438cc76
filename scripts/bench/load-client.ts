import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Load } from './figures.ts'

const run = promisify(execFile)

/** Runs loadtest/client and reads what it measured; a request that is not allowed is an error. */
export async function runLoadClient(client: string, port: number, options: readonly string[]): Promise<Load> {
  const { stdout } = await run(client, ['-address', `127.0.0.1:${port}`, ...options]).catch(
    (fault: { readonly stderr?: string }) => {
      throw new Error(`the load client failed: ${fault.stderr ?? String(fault)}`)
    },
  )
  const { denied, ...load }: Load & { readonly denied: number } = JSON.parse(stdout)
  if (denied > 0) throw new Error(`${denied} of ${load.calls} requests were denied`)
  return load
}
