import { randomUUID } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { listRevisions } from '../audit/write/revision-store.ts'
import { formatProblem } from '../base/document/problem.ts'
import { isFailure } from '../base/model/failure.ts'
import { describeCause, isAbsent } from '../base/model/fault.ts'
import { type Invalid, invalid, isInvalid } from '../base/model/invalid.ts'
import { readPolicyDirectory } from '../policy/source/directory-source.ts'
import { pinFile } from '../policy/source/followed-directory.ts'
import type { PinChange } from '../policy/source/git-pin.ts'
import { loadStored } from './stored-revision.ts'

// The server may run as another user. The permissions of the directory protect the pin, which is no secret.
const pinMode = 0o644

/**
 * Pins a revision that was served from a directory and stored in `audit`; by default the one before its current content.
 */
export async function pinDirectory(
  directory: string,
  audit: string,
  revision: string | undefined,
): Promise<PinChange | Invalid> {
  try {
    const commit = await findRevision(directory, audit, revision)
    if (isInvalid(commit)) return commit
    const loaded = await loadStored(audit, { policyRevision: commit })
    if (isInvalid(loaded)) return loaded
    await writePin(directory, commit)
    return { kind: 'pinned', commit, was: undefined }
  } catch (cause) {
    return invalid(`no pin was set: ${describeCause(cause)}`)
  }
}

/** Removes the pin of a directory. */
export async function releaseDirectory(directory: string): Promise<PinChange | Invalid> {
  const path = join(directory, pinFile)
  try {
    await rm(path)
  } catch (cause) {
    return invalid(
      isAbsent(cause)
        ? `\`${path}\` pins nothing`
        : `\`${path}\` could not be removed, so it still applies: ${describeCause(cause)}`,
    )
  }
  const present = await readPolicyDirectory(directory)
  const commit = isFailure(present) ? 'nothing that loads' : present.id
  return { kind: 'released', commit, was: undefined }
}

async function findRevision(
  directory: string,
  audit: string,
  revision: string | undefined,
): Promise<string | Invalid> {
  const kept = await listRevisions(audit)
  const present = await readPolicyDirectory(directory)
  // The current content is unknown then, so the revision before it is unknown too.
  if (revision === undefined && isFailure(present) && present.kind === 'failed')
    return invalid(present.problems.map(formatProblem).join('; '))
  const earlier = kept.filter((id) => isFailure(present) || id !== present.id)
  const commit = revision === undefined ? earlier[0] : kept.find((id) => id.startsWith(revision))
  return (
    commit ??
    invalid(`expected a revision that was served, found ${kept.join(', ') || 'none'} in \`${audit}\``)
  )
}

/** Writes the pin atomically, readable for the server whatever the umask is. */
async function writePin(directory: string, commit: string): Promise<void> {
  const draft = join(directory, `.${pinFile}.${randomUUID()}`)
  try {
    const file = await open(draft, 'wx', pinMode)
    try {
      await file.chmod(pinMode)
      await file.writeFile(`${commit}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(draft, join(directory, pinFile))
  } catch (cause) {
    await rm(draft, { force: true })
    throw cause
  }
}
