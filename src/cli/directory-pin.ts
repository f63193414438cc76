import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { listRevisions } from '../audit/revision-store.ts'
import { type Invalid, invalid, isInvalid } from '../model/invalid.ts'
import { pinFile, readPolicyDirectory } from '../revision/directory-source.ts'
import type { PinChange } from '../revision/git-pin.ts'
import { loadKept } from './kept-revision.ts'

/** Pins a revision that was served from a directory and kept in `audit`; the one before its present content when left out. */
export async function pinDirectory(
  directory: string,
  audit: string,
  revision: string | undefined,
): Promise<PinChange | Invalid> {
  const present = await readPolicyDirectory(directory)
  const kept = await listRevisions(audit)
  const earlier = kept.filter((id) => !('files' in present) || id !== present.id)
  const commit = revision === undefined ? earlier[0] : kept.find((id) => id.startsWith(revision))
  if (commit === undefined)
    return invalid(`expected a revision that was served, found ${kept.join(', ') || 'none'} in \`${audit}\``)
  const loaded = await loadKept(audit, { policyRevision: commit })
  if (isInvalid(loaded)) return loaded
  await writeFile(join(directory, pinFile), `${commit}\n`)
  return { kind: 'pinned', commit, was: undefined }
}

/** Removes the pin of a directory. */
export async function releaseDirectory(directory: string): Promise<PinChange | Invalid> {
  try {
    await rm(join(directory, pinFile))
  } catch {
    return invalid(`\`${join(directory, pinFile)}\` pins nothing`)
  }
  const present = await readPolicyDirectory(directory)
  return { kind: 'released', commit: 'files' in present ? present.id : 'nothing that loads', was: undefined }
}
