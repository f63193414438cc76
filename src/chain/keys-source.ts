import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Invalid, invalid } from '../model/invalid.ts'
import { type ChainKeys, keyFiles, parseChainKeys } from './keys.ts'

/** Reads a keys directory (`active.jwk.json`, and `next` and `previous` if there). */
export async function loadKeys(directory: string): Promise<ChainKeys | readonly Invalid[]> {
  const files = new Map<string, string>()
  const problems: Invalid[] = []
  for (const name of keyFiles) {
    try {
      files.set(name, await readFile(join(directory, name), 'utf8'))
    } catch (error) {
      if (!isAbsent(error)) problems.push(invalid(`${name}: cannot be read: ${String(error)}`))
    }
  }
  return problems.length > 0 ? problems : parseChainKeys(files)
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
