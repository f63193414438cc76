import { uris } from './hospital.ts'
import { temporaryDirectory } from './temporary-directory.ts'
import { run } from './terminal.ts'

/** A directory with a fresh signing key. */
export async function keysDirectory(): Promise<string> {
  const directory = temporaryDirectory()
  await run(['keys', 'init', directory])
  return directory
}

/** The command line that mints the clerk's chain for agent D. */
export function chainArguments(keys: string, ...more: readonly string[]): readonly string[] {
  const subject = ['--subject', 'clerk', '--subject-issuer', 'https://idp.hospital.example']
  return [
    'chain',
    'mint',
    '--keys',
    keys,
    '--issuer',
    'https://waywarden.hospital.example',
    ...subject,
    '--holder',
    uris.agentD,
    ...more,
  ]
}

/** The clerk's chain as agent D holds it after agent A. */
export async function mintedChain(keys: string): Promise<string> {
  const { out } = await run(chainArguments(keys, '--actor', uris.agentA, '--group', 'billing'))
  return out
}
