import { lstat, readdir, readlink, realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import type { Problem } from '../../base/document/problem.ts'
import { explainFileError } from '../../base/follow/file-error.ts'
import { readBytes } from '../../base/follow/read-bytes.ts'
import { isFailure } from '../../base/model/failure.ts'
import { describeCause, isAbsent, isErrno } from '../../base/model/fault.ts'
import { type Invalid, invalid, isInvalid } from '../../base/model/invalid.ts'
import { listHidden } from './hidden-source.ts'
import { type PolicyFiles, toPolicyFiles } from './policy-files.ts'
import { findUnread, isPassedOver, type Purpose, purposeOf, refuseFolder } from './policy-names.ts'
import { failed, type Unusable } from './policy-source.ts'

/** Limits of a policy repository. More is certainly a mistake. */
export const policyLimits: {
  readonly fileBytes: number
  /** For one test file, because parsing YAML can take a thousand times its size in memory. */
  readonly testBytes: number
  readonly files: number
} = {
  fileBytes: 4 * 1024 * 1024,
  testBytes: 256 * 1024,
  files: 20_000,
}

// If a writer changes files faster than three readings, the next poll tries again.
const maxAttempts = 3

/**
 * Reads the files of a policy repository: `services.yaml`, `entities.json`, `schema.cedarschema`, `**\/*.cedar`, and its
 * tests, `tests/**\/*.yaml`. The directory itself may be a link (as with ConfigMaps and git-sync checkouts); links within
 * it are refused. If the link changes during the reading, it reads again, so that two revisions are never mixed.
 */
export async function readPolicyDirectory(directory: string): Promise<PolicyFiles | Unusable> {
  let reason = `it was replaced ${maxAttempts} times while it was read`
  for (let attempt = 1; attempt <= maxAttempts; attempt++) {
    try {
      const place = await placeOf(directory)
      const read = await readPlace(place)
      if (JSON.stringify(place) === JSON.stringify(await placeOf(directory))) return read
    } catch (cause) {
      reason = explainFault(directory, cause)
      // A file that vanished may have been renamed.
      if (!isAbsent(cause)) break
    }
  }
  return unreadable(directory, reason)
}

/** Explains a fault of the directory itself in words; otherwise it uses the kernel's text, which names the file. */
function explainFault(directory: string, cause: unknown): string {
  // A file in place of the directory shows when a name in it is opened.
  const isItself =
    isErrno(cause, 'ENOTDIR') || (cause instanceof Error && 'path' in cause && cause.path === directory)
  return isItself ? explainFileError(directory, cause) : describeCause(cause)
}

/** Explains why a file of this size is not read. */
export function refuseSize(path: string, bytes: number): Problem | undefined {
  return bytes <= maxBytesOf(path) ? undefined : { file: path, message: tooLarge(path, bytes) }
}

function maxBytesOf(path: string): number {
  return purposeOf(path) === 'test' ? policyLimits.testBytes : policyLimits.fileBytes
}

function tooLarge(path: string, bytes: number): string {
  return `expected at most ${maxBytesOf(path)} bytes, found ${bytes}; split it`
}

type Reading = {
  /** Every file, including hidden ones. */
  readonly names: string[]
  readonly policy: Map<string, string>
  readonly test: Map<string, string>
  readonly problems: Problem[]
}

/** The current location of a directory's files. `mounted` is the target of Kubernetes' `..data` link, if there is one. */
type Place = { readonly root: string; readonly mounted: string | undefined }

async function placeOf(directory: string): Promise<Place> {
  const root = await realpath(directory)
  return { root, mounted: await readMount(join(root, '..data')) }
}

/** Returns the target of a link; `undefined` if there is none, or if it is not a link. */
async function readMount(path: string): Promise<string | undefined> {
  try {
    return await readlink(path)
  } catch (cause) {
    if (isAbsent(cause) || isErrno(cause, 'EINVAL')) return undefined
    throw cause
  }
}

async function readPlace(place: Place): Promise<PolicyFiles | Unusable> {
  const found: Reading = { names: [], policy: new Map(), test: new Map(), problems: [] }
  await readFolder(place, '', found)
  found.problems.push(...findUnread(found.names))
  return found.problems.length > 0
    ? { kind: 'refused', problems: found.problems }
    : toPolicyFiles(found.policy, found.test)
}

/** Returns the result for a policy directory that could not be read. */
export function unreadable(directory: string, detail: string): Unusable {
  return failed(directory, `the policy directory cannot be read: ${detail}`)
}

async function readFolder(place: Place, folder: string, found: Reading): Promise<void> {
  for (const name of (await readdir(join(place.root, folder))).sort()) {
    const path = folder === '' ? name : `${folder}/${name}`
    if (isPassedOver(path)) {
      found.names.push(...(await listHidden(place.root, path, place.mounted !== undefined)))
      continue
    }
    const full = join(place.root, path)
    const status = (await isForeign(place, full)) ? undefined : await stat(full)
    const purpose = purposeOf(path)
    if (status?.isDirectory() !== true) found.names.push(path)
    if (status?.isDirectory() === true) {
      const refusal = refuseFolder(path)
      if (refusal !== undefined) found.problems.push(refusal)
      await readFolder(place, path, found)
    } else if (status === undefined) {
      // Never skipped silently, because it may contain a `forbid`.
      found.problems.push({
        file: path,
        message: 'expected a file or folder, found a symbolic link; put the thing itself there',
      })
    } else if (purpose !== undefined) {
      await readInto(found, purpose, path, full)
    }
  }
}

async function readInto(found: Reading, purpose: Purpose, path: string, full: string): Promise<void> {
  const text = isFull(found) ? tooMany : await readText(path, full)
  if (isInvalid(text)) found.problems.push({ file: text === tooMany ? '.' : path, message: text.reason })
  else found[purpose].set(path, text)
}

async function readText(path: string, full: string): Promise<string | Invalid> {
  const read = await readBytes(full, maxBytesOf(path))
  if (!isFailure(read)) return decode(read)
  return invalid(read.kind === 'too-large' ? tooLarge(path, read.bytes) : 'expected a regular file')
}

/** True if a path is a link, except the links of a mount to its own content. */
async function isForeign({ root, mounted }: Place, path: string): Promise<boolean> {
  if (!(await lstat(path)).isSymbolicLink()) return false
  return mounted === undefined || !(await realpath(path)).startsWith(root + sep)
}

const tooMany = invalid(`expected at most ${policyLimits.files} files`)

function isFull({ policy, test }: Reading): boolean {
  return policy.size + test.size >= policyLimits.files
}

function decode(bytes: Buffer): string | Invalid {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return invalid('expected UTF-8 text')
  }
}
