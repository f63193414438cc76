import { join } from 'node:path'
import { readOptional } from '../../base/follow/read-bytes.ts'
import { isFailure } from '../../base/model/failure.ts'
import { describeCause } from '../../base/model/fault.ts'
import { type Invalid, invalid } from '../../base/model/invalid.ts'
import type { Problems } from '../../base/model/problems.ts'
import { type ChainKeys, keyFiles, parseChainKeys } from './keys.ts'

const maxKeyBytes = 64 * 1024

/** Reads a keys directory (`active.jwk.json`, and `next` and `previous` if they exist) for a command. */
export async function loadKeys(directory: string): Promise<ChainKeys | Problems<Invalid>> {
  const files = new Map<string, string>()
  const problems: Invalid[] = []
  for (const name of keyFiles) {
    try {
      const bytes = await readOptional(join(directory, name), maxKeyBytes)
      if (isFailure(bytes)) problems.push(invalid(`${name}: expected a regular file of at most 64 KiB`))
      else if (bytes !== undefined) files.set(name, bytes.toString())
    } catch (cause) {
      problems.push(invalid(`${name}: cannot be read: ${describeCause(cause)}`))
    }
  }
  return problems.length > 0 ? { kind: 'problems', problems } : parseChainKeys(files)
}
