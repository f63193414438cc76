import { createHash } from 'node:crypto'
import { lstat, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Problem } from './problem.ts'

/** The files of one policy repository at one moment; `id` is the hash of their names and contents. */
export type PolicyFiles = { readonly id: string; readonly files: ReadonlyMap<string, string> }

const maxFileBytes = 4 * 1024 * 1024
const maxFiles = 20_000
const fixedNames = new Set(['services.yaml', 'entities.json', 'schema.cedarschema'])

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

/** Names a set of files by their content. */
export function toPolicyFiles(files: ReadonlyMap<string, string>): PolicyFiles {
  const sorted = new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)))
  const hash = createHash('sha256')
  for (const [name, text] of sorted) {
    // Lengths first: no two different sets of files may hash alike by moving a boundary.
    hash.update(`${Buffer.byteLength(name)}:${name}${Buffer.byteLength(text)}:${text}`)
  }
  return { id: hash.digest('hex').slice(0, 32), files: sorted }
}

async function readFolder(
  root: string,
  folder: string,
  files: Map<string, string>,
  problems: Problem[],
): Promise<void> {
  for (const name of (await readdir(join(root, folder))).sort()) {
    // Also Kubernetes' own `..data` bookkeeping; what a mount shows beside it are links to its content.
    if (name.startsWith('.') || (folder === '' && name === 'tests')) continue
    const path = folder === '' ? name : `${folder}/${name}`
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
    } else if (name.endsWith('.cedar') || (folder === '' && fixedNames.has(name))) {
      if (status.size > maxFileBytes || files.size >= maxFiles) {
        problems.push({ file: path, message: `expected at most ${maxFiles} files of ${maxFileBytes} bytes` })
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
