import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Mounted } from './kubelet.ts'

/** What the pod's own network and volumes would give it: ports that the system chooses, and a place for evidence. */
export function localSettings({ inPod }: Mounted): Readonly<Record<string, string>> {
  return {
    WAYWARDEN__LISTENERS__0__ADDRESS: '0.0.0.0:0',
    WAYWARDEN__ADMIN__ADDRESS: '127.0.0.1:0',
    WAYWARDEN__AUDIT__DIRECTORY: inPod('/var/lib/waywarden/audit'),
  }
}

/** Where the admin port of a `serve` is, once it is open. */
export async function addressOfAdmin({ stderr }: ChildProcess): Promise<string> {
  if (stderr === null) throw new TypeError('the child has no stderr')
  const log: string[] = []
  for await (const line of createInterface(stderr)) {
    log.push(line)
    const address = line.includes('"what":"admin"') ? /"address":"([^"]+)"/.exec(line)?.[1] : undefined
    if (address !== undefined) return address
  }
  throw new RangeError(`it ended before its admin port was open:\n${log.join('\n')}`)
}
