import { lstat, readdir, readlink, realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import type { Problem } from '../../base/document/problem.ts'
import { explainFileError } from '../../base/follow/file-error.ts'
import { readBytes } from '../../base/follow/read-bytes.ts'
import { describeCause, isAbsent, isErrno } from '../../base/model/fault.ts'
import { listHidden } from './hidden-source.ts'
import { type PolicyFiles, toPolicyFiles } from './policy-files.ts'
import { findUnread, isPassedOver, purposeOf, refuseFolder } from './policy-names.ts'
import { failed, type Unusable } from './policy-source.ts'

/** What a policy repository may hold; more is somebody's mistake. */
export const policyLimits: {
  readonly fileBytes: number
  /** Of one file of tests: to parse YAML may take a thousand times as much memory. */
  readonly testBytes: number
  readonly files: number
} = {
  fileBytes: 4 * 1024 * 1024,
  testBytes: 256 * 1024,
  files: 20_000,
}

// A writer that is faster than three readings gets until the next poll.
const maxAttempts = 3

/** Whether a policy directory could not be read, or must not be used. */
export function isUnusable(read: PolicyFiles | Unusable): read is Unusable {
  return 'problems' in read
}

/**
 * Reads what a policy repository is made of: `services.yaml`, `entities.json`, `schema.cedarschema`, `**\/*.cedar`, and its
 * tests, `tests/**\/*.yaml`. The directory itself may be a link (a ConfigMap's is, and a checkout of git-sync); what lies in it may not. When the
 * link is turned to other files meanwhile, it is read anew: never the half of one revision and the half of another.
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
      // What vanished may have moved to another name.
      if (!isAbsent(cause)) break
    }
  }
  return unreadable(directory, reason)
}

/** In words where the directory itself is at fault; else the kernel's own text, which names the file. */
function explainFault(directory: string, cause: unknown): string {
  // A file in place of the directory shows at the first name that is looked up in it.
  const isItself =
    isErrno(cause, 'ENOTDIR') || (cause instanceof Error && 'path' in cause && cause.path === directory)
  return isItself ? explainFileError(directory, cause) : describeCause(cause)
}

/** Why a file of this size is not read. */
export function refuseSize(path: string, bytes: number): Problem | undefined {
  return bytes <= maxBytesOf(path) ? undefined : tooLarge(path, bytes)
}

function maxBytesOf(path: string): number {
  return purposeOf(path) === 'test' ? policyLimits.testBytes : policyLimits.fileBytes
}

function tooLarge(path: string, bytes: number): Problem {
  return { file: path, message: `expected at most ${maxBytesOf(path)} bytes, found ${bytes}; split it` }
}

type Reading = {
  /** Every file, hidden ones included. */
  readonly names: string[]
  readonly policy: Map<string, string>
  readonly test: Map<string, string>
  readonly problems: Problem[]
}

/** Where a directory's files lie now; `mounted` is where Kubernetes' `..data` leads, if it is there. */
type Place = { readonly root: string; readonly mounted: string | undefined }

async function placeOf(directory: string): Promise<Place> {
  const root = await realpath(directory)
  return { root, mounted: await readMount(join(root, '..data')) }
}

/** Where a link leads; `undefined` when the kernel says that there is none, or that it is none. */
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

/** A policy directory that could not be read. */
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
      // Never passed over in silence: a `forbid` may stand behind it.
      found.problems.push({
        file: path,
        message: 'expected a file or folder, found a symbolic link; put the thing itself there',
      })
    } else if (purpose !== undefined) {
      const text = refuseCount(found) ?? (await readText(path, full))
      if (typeof text === 'string') found[purpose].set(path, text)
      else found.problems.push(text)
    }
  }
}

async function readText(path: string, full: string): Promise<string | Problem> {
  const read = await readBytes(full, maxBytesOf(path))
  if (Buffer.isBuffer(read)) return decode(path, read)
  return read.kind === 'too-large'
    ? tooLarge(path, read.bytes)
    : { file: path, message: 'expected a regular file' }
}

/** Whether a path is a link, unless a mount has made it: those lead to what the mount itself holds. */
async function isForeign({ root, mounted }: Place, path: string): Promise<boolean> {
  if (!(await lstat(path)).isSymbolicLink()) return false
  return mounted === undefined || !(await realpath(path)).startsWith(root + sep)
}

function refuseCount({ policy, test }: Reading): Problem | undefined {
  return policy.size + test.size < policyLimits.files
    ? undefined
    : { file: '.', message: `expected at most ${policyLimits.files} files` }
}

function decode(path: string, bytes: Buffer): string | Problem {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return { file: path, message: 'expected UTF-8 text' }
  }
}
