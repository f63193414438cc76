import { randomUUID } from 'node:crypto'
import { access, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import { type Fault, isAbsent, toFault } from '../../base/model/fault.ts'
import { type Invalid, invalid } from '../../base/model/invalid.ts'

const storedRevision = v.object({
  version: v.literal(1),
  id: v.string(),
  files: v.array(v.tuple([v.string(), v.string()])),
})

/** A policy revision could not be stored, so it must not decide. */
export class RevisionNotKept extends Error {
  override readonly name = 'RevisionNotKept'
  readonly code = 'revision_not_kept'
}

/** Stores a policy revision's files by id, completely or not at all, so that its decisions can be judged again. */
export async function storeRevision(
  directory: string,
  id: string,
  files: ReadonlyMap<string, string>,
): Promise<void> {
  const path = pathOf(directory, id)
  if (path === undefined)
    throw new RevisionNotKept(`revision \`${id}\`: expected letters, digits, \`.\`, \`_\` and \`-\``)
  try {
    if (await exists(path)) return
    await mkdir(join(directory, 'revisions'), { recursive: true, mode: 0o700 })
    await writeWhole(path, JSON.stringify({ version: 1, id, files: [...files] }))
  } catch (cause) {
    throw new RevisionNotKept(`revision \`${id}\`: it could not be written`, { cause })
  }
}

/** Reads the files of a stored revision; invalid if there is none or it is damaged. The caller compares their hash. */
export async function readRevision(
  directory: string,
  id: string,
): Promise<ReadonlyMap<string, string> | Invalid | Fault> {
  const path = pathOf(directory, id)
  if (path === undefined)
    return invalid(`revision \`${id}\`: expected letters, digits, \`.\`, \`_\` and \`-\``)
  try {
    return parseStored(id, await readFile(path, 'utf8'))
  } catch (cause) {
    return isAbsent(cause)
      ? invalid(`revision \`${id}\`: it is not kept in \`${directory}\``)
      : toFault(`revision \`${id}\`: its kept copy cannot be read`, cause)
  }
}

/** Lists the ids of all stored revisions, latest first. Throws if they cannot be listed. */
export async function listRevisions(directory: string): Promise<readonly string[]> {
  const folder = join(directory, 'revisions')
  const names = (await namesIn(folder)).filter((name) => name.endsWith('.json'))
  const kept = names.map(async (name) => ({
    id: name.slice(0, -5),
    keptAtMs: (await stat(join(folder, name))).mtimeMs,
  }))
  return (await Promise.all(kept)).sort((one, other) => other.keptAtMs - one.keptAtMs).map(({ id }) => id)
}

function parseStored(id: string, text: string): ReadonlyMap<string, string> | Invalid {
  const stored = v.safeParse(storedRevision, parseJson(text))
  return stored.success && stored.output.id === id
    ? new Map(stored.output.files)
    : invalid(`revision \`${id}\`: expected its files, version 1`)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A missing folder means that no revision was stored. */
async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder)
  } catch (cause) {
    if (isAbsent(cause)) return []
    throw cause
  }
}

function pathOf(directory: string, id: string): string | undefined {
  // The id comes from records, which may have been edited. It must not lead out of the directory.
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(id)
    ? join(directory, 'revisions', `${id}.json`)
    : undefined
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path)
    return true
  } catch (cause) {
    if (isAbsent(cause)) return false
    throw cause
  }
}

async function writeWhole(path: string, text: string): Promise<void> {
  const draft = `${path}.${randomUUID()}.draft`
  try {
    const file = await open(draft, 'wx', 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(draft, path)
  } catch (cause) {
    await rm(draft, { force: true })
    throw cause
  }
}
