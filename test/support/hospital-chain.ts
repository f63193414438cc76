import { execFileSync } from 'node:child_process'
import type { Hospital } from '../../demo/hospital.ts'
import { idpIssuer, type User } from '../../demo/idp.ts'
import { waywardenIssuer, waywardenProgram } from '../../demo/waywarden.ts'
import { type Workload, workloads } from '../../demo/world.ts'

/** Signs a chain with the hospital's own keys: the user asked the actors, one after the other, and the holder presents it. */
export function mintChain(
  hospital: Hospital,
  user: User,
  actors: readonly Workload[],
  holder: Workload,
): string {
  const args = [
    ...['chain', 'mint', '--keys', hospital.keys, '--issuer', waywardenIssuer],
    ...['--subject', user.id, '--subject-issuer', idpIssuer, '--holder', workloads[holder]],
    ...actors.flatMap((actor) => ['--actor', workloads[actor]]),
    ...user.groups.flatMap((group) => ['--group', group]),
  ]
  return execFileSync(process.execPath, [waywardenProgram, ...args], { encoding: 'utf8' }).trim()
}
