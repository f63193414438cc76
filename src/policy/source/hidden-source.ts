import type { Stats } from 'node:fs'
import { lstat, readdir, realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { isAbsent } from '../../base/model/fault.ts'
import { isBookkeeping } from './policy-names.ts'

/**
 * Lists a hidden file, or all files of a hidden folder, of a policy directory. Their content is not read, but their names
 * may show that a policy was put in the wrong place.
 */
export async function listHidden(
  root: string,
  path: string,
  isMount: boolean,
  // Far more than hidden folders beside policies have. Names are listed at each poll.
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
  // The list grows during the iteration.
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

/** Editors create and remove hidden files at any time, so a missing file is no fault. Every other error is. */
async function orGone<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found
  } catch (cause) {
    if (isAbsent(cause)) return undefined
    throw cause
  }
}
