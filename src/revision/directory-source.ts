import { createHash } from 'node:crypto'
import { lstat, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Invalid, isInvalid } from '../model/invalid.ts'
import type { PolicySource } from './policy-source.ts'
import type { Problem } from './problem.ts'

/** The files of one policy repository at one moment; `id` is the hash of their names and contents. */
export type PolicyFiles = { readonly id: string; readonly files: ReadonlyMap<string, string> }

/** What a policy repository may hold; more is somebody's mistake. */
export const policyLimits: { readonly fileBytes: number; readonly files: number } = {
  fileBytes: 4 * 1024 * 1024,
  files: 20_000,
}

// Of the digest, as digits.
const idLength = 32
const fixedNames = new Set(['services.yaml', 'entities.json', 'schema.cedarschema'])

/** The file in a policy directory that pins an earlier revision: its id and nothing else. */
export const pinFile = 'PIN'

/**
 * Follows a directory. `readKept` finds the files of a revision that served before: a directory has no memory of its own,
 * so a pin is followed by whoever has served what it names.
 */
export function createDirectorySource(
  directory: string,
  pollMs: number,
  readKept: (id: string) => Promise<ReadonlyMap<string, string> | Invalid>,
): PolicySource {
  return {
    name: directory,
    recall: async () => undefined,
    async look() {
      const pin = await readPin(directory)
      const files = pin === undefined ? await readPolicyDirectory(directory) : await readPinned(pin, readKept)
      if (!('files' in files)) return { kind: 'refused', problems: files }
      return { kind: 'found', files, pinned: pin, notices: [] }
    },
    accept: async () => {},
    nextLookMs: () => pollMs,
    close: () => {},
  }
}

async function readPin(directory: string): Promise<string | undefined> {
  const text = await readFile(join(directory, pinFile), 'utf8').catch(() => '')
  return text.trim() === '' ? undefined : text.trim()
}

async function readPinned(
  pin: string,
  readKept: (id: string) => Promise<ReadonlyMap<string, string> | Invalid>,
): Promise<PolicyFiles | readonly Problem[]> {
  const kept = await readKept(pin)
  if (isInvalid(kept)) return [{ file: pinFile, message: `pins what was never served here: ${kept.reason}` }]
  const files = toPolicyFiles(kept)
  return files.id === pin
    ? files
    : [{ file: pinFile, message: `revision \`${pin}\` was changed after it was kept` }]
}

/**
 * Reads what a policy repository is made of: `services.yaml`, `entities.json`, `schema.cedarschema`, `**\/*.cedar`.
 * The directory itself may be a link (a ConfigMap's is); what lies in it may not.
 */
export async function readPolicyDirectory(directory: string): Promise<PolicyFiles | readonly Problem[]> {
  const files = new Map<string, string>()
  const problems: Problem[] = []
  try {
    await readFolder(directory, '', files, problems)
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause)
    return [{ file: directory, message: `the policy directory cannot be read: ${detail}` }]
  }
  if (problems.length > 0) return problems
  return toPolicyFiles(files)
}

/** What no revision is made of: tests, and whatever begins with a dot, such as Kubernetes' own `..data` bookkeeping. */
export function isPassedOver(path: string): boolean {
  const parts = path.split('/')
  return parts[0] === 'tests' || parts.some((part) => part.startsWith('.'))
}

/** Whether a path in a policy repository is one of its policies, its schema, its entities or its catalog. */
export function isPolicyFile(path: string): boolean {
  return path.endsWith('.cedar') || fixedNames.has(path)
}

/** Names a set of files by their content. */
export function toPolicyFiles(files: ReadonlyMap<string, string>): PolicyFiles {
  return { id: digestFiles(files).slice(0, idLength), files: new Map(sortByName(files)) }
}

/** SHA-256 over names and contents, in the order of the names (docs/evidence.md), as hexadecimal digits. */
export function digestFiles(files: ReadonlyMap<string, string>): string {
  const hash = createHash('sha256')
  for (const [name, text] of sortByName(files)) {
    // Lengths first: no two different sets of files may hash alike by moving a boundary.
    hash.update(`${Buffer.byteLength(name)}:${name}${Buffer.byteLength(text)}:${text}`)
  }
  return hash.digest('hex')
}

function sortByName(files: ReadonlyMap<string, string>): readonly (readonly [string, string])[] {
  return [...files].sort(([a], [b]) => (a < b ? -1 : 1))
}

/** Said of a repository beyond `policyLimits`. */
export const tooMuch: string = `expected at most ${policyLimits.files} files of ${policyLimits.fileBytes} bytes`

async function readFolder(
  root: string,
  folder: string,
  files: Map<string, string>,
  problems: Problem[],
): Promise<void> {
  for (const name of (await readdir(join(root, folder))).sort()) {
    const path = folder === '' ? name : `${folder}/${name}`
    if (isPassedOver(path)) continue
    const isLink = (await lstat(join(root, path))).isSymbolicLink()
    const status = isLink && !(await isMounted(root)) ? undefined : await stat(join(root, path))
    if (status?.isDirectory() === true) {
      await readFolder(root, path, files, problems)
    } else if (status === undefined) {
      // Never passed over in silence: a `forbid` may stand behind it.
      problems.push({
        file: path,
        message: 'expected a file or folder, found a symbolic link; put the thing itself there',
      })
    } else if (isPolicyFile(path)) {
      if (status.size > policyLimits.fileBytes || files.size >= policyLimits.files) {
        problems.push({ file: path, message: tooMuch })
      } else {
        await readText(root, path, files, problems)
      }
    }
  }
}

async function readText(
  root: string,
  path: string,
  files: Map<string, string>,
  problems: Problem[],
): Promise<void> {
  try {
    files.set(path, new TextDecoder('utf-8', { fatal: true }).decode(await readFile(join(root, path))))
  } catch {
    problems.push({ file: path, message: 'expected UTF-8 text' })
  }
}

async function isMounted(root: string): Promise<boolean> {
  return lstat(join(root, '..data')).then(
    (status) => status.isSymbolicLink(),
    () => false,
  )
}
