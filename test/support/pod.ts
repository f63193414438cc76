import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import type { Mounted } from './kubelet.ts'

/** Overrides in place of the pod's network and volumes: free ports, and a folder for evidence. */
export function localSettings({ inPod }: Mounted): Readonly<Record<string, string>> {
  return {
    WAYWARDEN__LISTENERS__0__ADDRESS: '0.0.0.0:0',
    WAYWARDEN__ADMIN__ADDRESS: '127.0.0.1:0',
    WAYWARDEN__AUDIT__DIRECTORY: inPod('/var/lib/waywarden/audit'),
  }
}

/** Polls `/readyz` until a `serve` is ready, as a kubelet does, and returns its body. */
export async function untilReady(child: ChildProcess): Promise<{ readonly notices: readonly string[] }> {
  const url = `http://${await addressOfAdmin(child)}/readyz`
  for (;;) {
    const response = await fetch(url)
    if (response.ok) return (await response.json()) as { readonly notices: readonly string[] }
    await response.text()
    await setTimeout(100)
  }
}

async function addressOfAdmin({ stderr }: ChildProcess): Promise<string> {
  if (stderr === null) throw new TypeError('the child has no stderr')
  const log: string[] = []
  for await (const line of createInterface(stderr)) {
    log.push(line)
    const address = line.includes('"what":"admin"') ? /"address":"([^"]+)"/.exec(line)?.[1] : undefined
    if (address !== undefined) return address
  }
  throw new RangeError(`it ended before its admin port was open:\n${log.join('\n')}`)
}
