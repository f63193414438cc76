import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Problem } from '../revision/problem.ts'

const folder = 'tests'

/** The files `tests/**\/*.yaml` of a policy repository, by their path in it; none when it has no such folder. */
export async function readTestFiles(
  directory: string,
): Promise<ReadonlyMap<string, string> | readonly Problem[]> {
  const root = join(directory, folder)
  const files = new Map<string, string>()
  try {
    for (const name of (await readdir(root, { recursive: true })).sort()) {
      if (/\.ya?ml$/.test(name)) files.set(`${folder}/${name}`, await readFile(join(root, name), 'utf8'))
    }
  } catch (cause) {
    if (isAbsent(cause)) return files
    return [{ file: folder, message: `cannot be read: ${cause instanceof Error ? cause.message : ''}` }]
  }
  return files
}

function isAbsent(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
}
