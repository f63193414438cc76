import { copyFile, mkdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { parseDurationMs } from '../base/model/duration.ts'
import { isAbsent, isErrno } from '../base/model/fault.ts'
import { isInvalid } from '../base/model/invalid.ts'
import { isProblems } from '../base/model/problems.ts'
import { activeKeyFile, generateKey, keyFiles } from '../decision/chain/keys.ts'
import { loadKeys } from '../decision/chain/keys-source.ts'
import { surroundingsOf } from './key-place.ts'
import {
  describeError,
  type ExitCode,
  exitCodes,
  type Finish,
  helpFooter,
  type Terminal,
} from './terminal.ts'

/** Adds `keys init` and `keys rotate`. */
export function addKeys(program: Command, terminal: Terminal, finish: Finish): void {
  const keys = program.command('keys').description('the keys that sign chains')
  keys
    .command('init')
    .description('create a directory with a new ES256 signing key; an existing key is never overwritten')
    .argument('<dir>', 'the directory of `chain.keys` in the configuration')
    .addHelpText(
      'after',
      helpFooter(
        'waywarden keys init ./keys',
        '0 created, 1 a key exists, it cannot be written, or the directory is part of a policy repository',
      ),
    )
    .action(async (directory: string) => finish(await init(directory, terminal)))
  keys
    .command('rotate')
    .description(
      'take the next step of a rotation: publish a new key for verifying only; or, if one is published, sign with it and keep the former key for verifying',
    )
    .argument('<dir>', 'the keys directory')
    .option('--overlap <duration>', 'how long a retired key stays: longer than `chain.maxLifetime`', '1h')
    .addHelpText(
      'after',
      helpFooter(
        'waywarden keys rotate ./keys',
        '0 one step taken, 1 it is too early, or a file cannot be read or written',
      ),
    )
    .action(async (directory: string, { overlap }: { readonly overlap: string }) =>
      finish(await rotate(directory, overlap, terminal)),
    )
}

async function init(directory: string, terminal: Terminal): Promise<ExitCode> {
  const file = join(directory, activeKeyFile)
  const { policies, git } = await surroundingsOf(directory)
  if (policies !== undefined) {
    terminal.complain(
      `\`${directory}\` lies in the policy repository \`${policies}\`, which many may read. Name a directory outside of it, where only Waywarden reads`,
    )
    return exitCodes.negative
  }
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    // `wx` refuses an existing file, and a link that was placed there.
    await writeFile(file, generateKey(), { mode: 0o600, flag: 'wx' })
  } catch (error) {
    const exists = isErrno(error, 'EEXIST')
    terminal.complain(
      exists
        ? `\`${file}\` exists and is not replaced, because chains that it signed would break. Name another directory`
        : `\`${file}\` cannot be written: ${describeError(error)}`,
    )
    return exitCodes.negative
  }
  terminal.print(`created ${file}; keep it secret, and give every replica the same`)
  if (git !== undefined) {
    terminal.complain(
      `note: \`${file}\` lies in the Git working tree \`${git}\`: add it to .gitignore, and never commit it`,
    )
  }
  return exitCodes.ok
}

/**
 * Does one step at a time. A key signs only when every replica can verify it, and is removed only when all its chains
 * have expired.
 */
async function rotate(directory: string, overlap: string, terminal: Terminal): Promise<ExitCode> {
  const overlapMs = parseDurationMs(overlap)
  if (isInvalid(overlapMs)) {
    terminal.complain(`--overlap: ${overlapMs.reason}`)
    return exitCodes.usage
  }
  const [active, next, previous] = keyFiles.map((name) => join(directory, name))
  if (active === undefined || next === undefined || previous === undefined) return exitCodes.negative
  const keys = await loadKeys(directory)
  if (isProblems(keys)) {
    for (const { reason } of keys.problems) terminal.complain(`${directory}: ${reason}`)
    return exitCodes.negative
  }
  try {
    return await takeStep({ active, next, previous }, overlapMs, terminal)
  } catch (error) {
    terminal.complain(`\`${directory}\` cannot be changed: ${describeError(error)}`)
    return exitCodes.negative
  }
}

async function takeStep(paths: KeyPaths, overlapMs: number, terminal: Terminal): Promise<ExitCode> {
  const { next, previous } = paths
  const retiredAtMs = await modifiedAtMs(previous)
  if (retiredAtMs !== undefined && retiredAtMs + overlapMs > terminal.nowMs()) {
    const until = new Date(retiredAtMs + overlapMs).toISOString()
    terminal.complain(`\`${previous}\` still verifies unexpired chains; rotate again after ${until}`)
    return exitCodes.negative
  }
  return (await modifiedAtMs(next)) === undefined
    ? publish(next, previous, terminal)
    : promote(paths, terminal)
}

async function publish(next: string, previous: string, terminal: Terminal): Promise<ExitCode> {
  await rm(previous, { force: true })
  await writeFile(next, generateKey(), { mode: 0o600, flag: 'wx' })
  terminal.print(`created ${next}, which verifies but does not sign yet`)
  terminal.print('give it to every replica, wait until all have loaded it, then run `keys rotate` again')
  return exitCodes.ok
}

type KeyPaths = { readonly active: string; readonly next: string; readonly previous: string }

async function promote({ active, next, previous }: KeyPaths, terminal: Terminal): Promise<ExitCode> {
  // In this order there is always a key to sign, and a key to verify everything that was signed.
  await copyFile(active, previous)
  await rename(next, active)
  const now = new Date(terminal.nowMs())
  await utimes(previous, now, now)
  terminal.print(`${active} is the new key; ${previous} still verifies with the former one`)
  terminal.print('give both to every replica; run `keys rotate` again when the next rotation is due')
  return exitCodes.ok
}

/** Returns `undefined` only if the file does not exist, because nothing may be concluded from an unreadable file. */
async function modifiedAtMs(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).mtimeMs
  } catch (cause) {
    if (isAbsent(cause)) return undefined
    throw cause
  }
}
