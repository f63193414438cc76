import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CheckResponseFields } from './check-request.ts'
import { uris } from './hospital.ts'
import { chainNow, type RunningApp, startTestApp, tokenNow } from './running-app.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/** A transaction that three Waywardens decided, each with an audit directory of its own. */
export type ThreeReplicas = { readonly audits: readonly string[]; readonly txn: string }

/** The clerk asks A, A asks D, D reads the insurance and is refused the records: each hop at another replica. */
export async function playOverThreeReplicas(): Promise<ThreeReplicas> {
  const directory = temporaryDirectory()
  const audits: string[] = []
  const at = async <T>(replica: string, act: (app: RunningApp) => Promise<T>): Promise<T> => {
    const home = join(directory, replica)
    await mkdir(home)
    audits.push(join(home, 'audit'))
    await using app = await startTestApp(home)
    return await act(app)
  }
  const heldByA = await at('replica-0', async (app) => {
    const authorization = `Bearer ${tokenNow()}`
    return chainOf(
      await app.ask({ ...tasks('10.96.0.4:8080'), peer: uris.gateway, headers: { authorization } }),
    )
  })
  const heldByD = await at('replica-1', async (app) => {
    const headers = { 'actor-chain': heldByA }
    return chainOf(await app.ask({ ...tasks('10.96.0.2:8080'), peer: uris.agentA, headers }))
  })
  await at('replica-2', async (app) => {
    const headers = { 'actor-chain': heldByD }
    await app.ask({ headers })
    await app.ask({ path: '/patients/42', destinationAddress: '10.96.0.11:8080', headers })
    // Somebody else's transaction, which is not to be shown.
    await app.ask({ headers: { 'actor-chain': chainNow() } })
  })
  return { audits, txn: await txnOf(audits[0] ?? '') }
}

function tasks(destinationAddress: string) {
  return { method: 'POST', path: '/tasks', destinationAddress }
}

function chainOf({ setHeaders }: CheckResponseFields): string {
  return setHeaders['actor-chain'] ?? ''
}

async function txnOf(audit: string): Promise<string> {
  const segment = (await readdir(audit)).find((name) => name.endsWith('.ndjson')) ?? ''
  return /"txn":"([^"]+)"/.exec(await readFile(join(audit, segment), 'utf8'))?.[1] ?? ''
}
