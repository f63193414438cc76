import type { KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { parsePublicKey } from '../audit/log/log-key.ts'
import { type Invalid, invalid, isInvalid } from '../base/model/invalid.ts'
import { collect } from './collect.ts'
import { describeError } from './terminal.ts'

/** The option of commands that read logs. */
export type KeyOptions = { readonly key?: readonly string[] }

/** The public keys of logs; `undefined` trusts the keys beside the logs. */
export type GivenKeys = {
  readonly kind: 'keys'
  readonly keys: readonly KeyObject[] | undefined
}

/** Adds `--key`. */
export function addKeyOption(command: Command): Command {
  return command.option(
    '--key <file>',
    'public key of the logs, from a safe place; may be repeated. Without it the key beside the log is trusted',
    collect,
  )
}

/** Reads the named keys. */
export async function readKeys(files: readonly string[] | undefined): Promise<GivenKeys | Invalid> {
  if (files === undefined) return { kind: 'keys', keys: undefined }
  const keys: KeyObject[] = []
  for (const file of files) {
    const key = await readKey(file)
    if (isInvalid(key)) return key
    keys.push(key)
  }
  return { kind: 'keys', keys }
}

async function readKey(file: string): Promise<KeyObject | Invalid> {
  try {
    const key = parsePublicKey(await readFile(file, 'utf8'))
    return isInvalid(key) ? invalid(`\`${file}\`: ${key.reason}`) : key
  } catch (error) {
    return invalid(`\`${file}\` cannot be read: ${describeError(error)}`)
  }
}
