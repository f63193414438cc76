import type { KeyObject } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isAbsent } from '../../base/model/fault.ts'
import { type Invalid, invalid, isInvalid } from '../../base/model/invalid.ts'
import { rawPublicKey } from '../format/checkpoint.ts'
import { parsePublicKey, publicKeyFile } from './log-key.ts'
import { describe, openRegular } from './segment-file.ts'
import { parseWorkerFolder } from './worker-logs.ts'

/** Returns the keys that the logs of an audit directory must be signed with. */
export type Keyring = (root: string) => Promise<readonly KeyObject[] | Invalid>

/**
 * Uses the given keys; without any, the key in the audit directory. That key proves only that log and key belong
 * together, because write access to the log includes the key.
 */
export function createKeyring(given: readonly KeyObject[] | undefined): Keyring {
  if (given !== undefined) return async () => given
  const known = new Map<string, Promise<readonly KeyObject[] | Invalid>>()
  return (root) => {
    const keys = known.get(root) ?? readKeysBeside(root)
    known.set(root, keys)
    return keys
  }
}

/** Workers share one key. Each worker's folder has the public part; a folder with another key does not belong to them. */
async function readKeysBeside(root: string): Promise<readonly KeyObject[] | Invalid> {
  const own = await readKey(join(root, publicKeyFile))
  if (own !== undefined) return isInvalid(own) ? own : [own]
  const folders = (await readdir(root).catch(() => [])).filter(
    (name) => parseWorkerFolder(name) !== undefined,
  )
  let first: { readonly file: string; readonly key: KeyObject } | undefined
  for (const folder of folders) {
    const file = join(root, folder, publicKeyFile)
    const key = await readKey(file)
    if (key === undefined) continue
    if (isInvalid(key)) return key
    if (first !== undefined && !rawPublicKey(first.key).equals(rawPublicKey(key))) {
      return invalid(`\`${first.file}\` and \`${file}\` are two keys; name the right one with \`--key\``)
    }
    first ??= { file, key }
  }
  if (first !== undefined) return [first.key]
  return invalid(`\`${join(root, publicKeyFile)}\` is missing; name the public key with \`--key\``)
}

/** Returns `undefined` if the file does not exist. */
async function readKey(path: string): Promise<KeyObject | Invalid | undefined> {
  try {
    await using file = await openRegular(path)
    const key = parsePublicKey(await file.readFile('utf8'))
    return isInvalid(key) ? invalid(`\`${path}\`: ${key.reason}; name the right one with \`--key\``) : key
  } catch (cause) {
    if (isAbsent(cause)) return undefined
    return invalid(`\`${path}\` cannot be read: ${describe(cause)}; name the public key with \`--key\``)
  }
}
