import type { Stats } from 'node:fs'
import { lstat, readdir, realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { isAbsent } from '../../base/model/fault.ts'
import { isBookkeeping } from './policy-names.ts'

/**
 * The paths of a hidden file, or of all files in a hidden folder of a policy directory. Their contents are not read, but
 * their names may show that a policy was put where no policy is read.
 */
export async function listHidden(
  root: string,
  path: string,
  isMount: boolean,
  // Far more than a hidden folder beside policies has. Names are listed again at each poll.
  maxNames = 20_000,
): Promise<readonly string[]> {
  const names: string[] = []
  const folders: string[] = []
  const visit = async (found: string, kind: Kind) => {
    if (isBookkeeping(found, isMount)) return
    if (await isFolder(root, found, kind, isMount)) folders.push(found)
    else names.push(found)
    if (names.length > maxNames)
      throw new Error(`\`${path}\` holds more than ${maxNames} files; move it elsewhere`)
  }
  const status = await orGone(lstat(join(root, path)))
  if (status === undefined) return []
  await visit(path, status)
  // The list grows while it is iterated.
  for (const folder of folders) {
    const entries = (await orGone(readdir(join(root, folder), { withFileTypes: true }))) ?? []
    for (const entry of entries) await visit(`${folder}/${entry.name}`, entry)
  }
  return names.sort()
}

type Kind = Pick<Stats, 'isDirectory' | 'isSymbolicLink'>

/** Links are followed only in a mount, whose links lead to its own files. */
async function isFolder(root: string, path: string, kind: Kind, isMount: boolean): Promise<boolean> {
  if (!kind.isSymbolicLink()) return kind.isDirectory()
  const full = join(root, path)
  if (!isMount || (await orGone(realpath(full)))?.startsWith(root + sep) !== true) return false
  return (await orGone(stat(full)))?.isDirectory() === true
}

/** Editors make and remove hidden files at any time: a file that is gone is no fault, everything else is. */
async function orGone<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found
  } catch (cause) {
    if (isAbsent(cause)) return undefined
    throw cause
  }
}
