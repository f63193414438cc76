import { join } from 'node:path'
import { readOptional } from '../../base/follow/read-bytes.ts'
import { isFailure } from '../../base/model/failure.ts'
import { describeCause, type Fault, isFault } from '../../base/model/fault.ts'
import { type Invalid, isInvalid } from '../../base/model/invalid.ts'
import { readPolicyDirectory, unreadable } from './directory-source.ts'
import { digestFiles, type PolicyFiles, toPolicyFiles } from './policy-files.ts'
import { type Found, failed, type PolicySource, refused, type Unusable } from './policy-source.ts'

/** The file in a policy directory that pins an earlier revision. It contains only the id. */
export const pinFile = 'PIN'

const maxPinBytes = 1024
// If a writer changes files faster than three readings, the next poll tries again.
const maxAttempts = 3

/** Returns the stored files of an earlier revision, by id. */
export type ReadKept = (id: string) => Promise<ReadonlyMap<string, string> | Invalid | Fault>

/** Follows a directory. A directory has no history, so a pin works only if `readKept` has the revision that it names. */
export function createDirectorySource(directory: string, pollMs: number, readKept: ReadKept): PolicySource {
  const path = join(directory, pinFile)
  let digest = ''
  return {
    name: directory,
    recall: async () => undefined,
    async look() {
      for (let attempt = 1; attempt <= maxAttempts; attempt++) {
        const pin = await readPin(path)
        if (isFailure(pin)) return pin
        if (pin !== undefined) return readPinned(path, pin, readKept)
        const files = await readSettled(directory, digest)
        if (isFailure(files)) return files
        digest = digestAll(files)
        // A pin that was created during the reading already applies.
        if ((await readPin(path)) === undefined) return toFound(files, undefined)
      }
      return failed(path, 'it came and went while the files were read')
    },
    accept: async () => {},
    intervalMs: pollMs,
    close: () => {},
  }
}

async function readPinned(path: string, pin: string, readKept: ReadKept): Promise<Found | Unusable> {
  const kept = await readKept(pin)
  if (isFault(kept)) return failed(path, kept.reason)
  if (isInvalid(kept)) return refused(path, `pins what was never served here: ${kept.reason}`)
  const files = toPolicyFiles(kept)
  return files.id === pin
    ? toFound(files, pin)
    : refused(path, `revision \`${pin}\` was changed after it was kept`)
}

function toFound(files: PolicyFiles, pinned: string | undefined): Found {
  return { kind: 'found', files, pinned, notices: [] }
}

/**
 * Reads the directory. A difference from the known state is read until two readings agree, because a file may move during
 * the reading.
 */
async function readSettled(directory: string, known: string): Promise<PolicyFiles | Unusable> {
  let before = known
  for (let attempt = 0; attempt <= maxAttempts; attempt++) {
    const files = await readPolicyDirectory(directory)
    if (isFailure(files) || digestAll(files) === before) return files
    before = digestAll(files)
  }
  return unreadable(directory, 'it changed again and again while it was read')
}

function digestAll({ id, tests }: PolicyFiles): string {
  return `${id} ${digestFiles(tests)}`
}

/**
 * Returns the revision to which a policy directory is pinned; `undefined` only if the file does not exist. An unreadable
 * pin is a fault, and one without an id is refused, because a torn write must not remove a pin.
 */
async function readPin(path: string): Promise<string | Unusable | undefined> {
  try {
    const read = await readOptional(path, maxPinBytes)
    if (read === undefined) return undefined
    const id = isFailure(read) ? '' : read.toString().trim()
    return id === ''
      ? refused(path, 'expected the id of a revision, found none; remove the file to release the pin')
      : id
  } catch (cause) {
    return failed(path, `the pin cannot be read: ${describeCause(cause)}`)
  }
}
