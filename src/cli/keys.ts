import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { activeKeyFile, generateKey } from '../chain/keys.ts'
import {
  describeError,
  type ExitCode,
  exitCodes,
  type Finish,
  helpFooter,
  type Terminal,
} from './terminal.ts'

/** Adds `keys init`. */
export function addKeys(program: Command, terminal: Terminal, finish: Finish): void {
  const keys = program.command('keys').description('the keys that sign chains')
  keys
    .command('init')
    .description('create a directory with a new ES256 signing key; an existing key is never overwritten')
    .argument('<dir>', 'where `chain.keys` of the configuration points')
    .addHelpText(
      'after',
      helpFooter(
        'waywarden keys init ./keys',
        '0 created, 1 there is a key already, or it cannot be written',
      ),
    )
    .action(async (directory: string) => finish(await init(directory, terminal)))
}

async function init(directory: string, terminal: Terminal): Promise<ExitCode> {
  const file = join(directory, activeKeyFile)
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    // `wx` refuses a file that exists, and a link that somebody has put there.
    await writeFile(file, generateKey(), { mode: 0o600, flag: 'wx' })
  } catch (error) {
    const exists = error instanceof Error && 'code' in error && error.code === 'EEXIST'
    terminal.complain(
      exists
        ? `\`${file}\` exists and stays as it is; chains that it signed would break. Name another directory`
        : `\`${file}\` cannot be written: ${describeError(error)}`,
    )
    return exitCodes.negative
  }
  terminal.print(`created ${file}; keep it secret, and give every replica the same`)
  return exitCodes.ok
}
