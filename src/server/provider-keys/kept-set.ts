import { randomUUID } from 'node:crypto'
import { open, rename, rm, stat } from 'node:fs/promises'
import * as v from 'valibot'
import { explainFileError } from '../../base/follow/file-error.ts'
import { readBytes, readOptional } from '../../base/follow/read-bytes.ts'
import { isFailure } from '../../base/model/failure.ts'
import { type Invalid, invalid } from '../../base/model/invalid.ts'
import type { PublishedSet } from './key-feed.ts'

/** The owner of the keys in a file. A set of another provider or URL is never used. */
export type KeptOf = { readonly issuer: string; readonly source: string }

const maxBytes = 1024 * 1024
/** Clocks of one cluster differ by less. */
const skewMs = 60_000
/** Permissions by which others than the owner could write keys that we would believe. */
const writableByOthers = 0o022

const keptSchema = v.strictObject({
  version: v.literal(1),
  issuer: v.string(),
  source: v.string(),
  readAt: v.pipe(v.string(), v.isoTimestamp()),
  jwks: v.string(),
})

/** Writes the last good set for the next start, for its owner alone; whole or not at all. Throws what the kernel said. */
export async function keepSet(path: string, { text, readAtMs }: PublishedSet, of: KeptOf): Promise<void> {
  const kept = { version: 1, ...of, readAt: new Date(readAtMs).toISOString(), jwks: text }
  const temporary = `${path}.${randomUUID()}`
  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(JSON.stringify(kept))
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (cause) {
    await rm(temporary, { force: true })
    throw cause
  }
}

/** Reads what was kept; `undefined` when nothing was. A set that is older than `maxAgeMs` may hold a key that was withdrawn. */
export async function readKept(
  path: string,
  of: KeptOf,
  nowMs: number,
  maxAgeMs: number,
): Promise<PublishedSet | Invalid | undefined> {
  try {
    const bytes = await readOptional(path, maxBytes)
    if (bytes === undefined) return undefined
    if (isFailure(bytes)) return invalid('expected a regular file of at most 1 MiB')
    if (((await stat(path)).mode & writableByOthers) !== 0)
      return invalid('others than its owner can write it; remove it')
    const kept = parseKept(bytes.toString())
    if (kept === undefined) return invalid('expected a set that was kept here; remove it')
    if (kept.issuer !== of.issuer || kept.source !== of.source)
      return invalid(`it has the keys of \`${kept.issuer}\` from \`${kept.source}\``)
    return (
      refuseAge(Date.parse(kept.readAt), nowMs, maxAgeMs) ?? {
        text: kept.jwks,
        readAtMs: Date.parse(kept.readAt),
      }
    )
  } catch (cause) {
    return invalid(`cannot be read: ${explainFileError(path, cause)}`)
  }
}

/** Reads a first set, which is as old as the time stamp of its file. Throws what the kernel said. */
export async function readSeed(path: string): Promise<PublishedSet | Invalid> {
  const bytes = await readBytes(path, maxBytes)
  if (isFailure(bytes)) return invalid('expected a regular file of at most 1 MiB')
  return { text: bytes.toString(), readAtMs: (await stat(path)).mtimeMs }
}

/** Why a set of this moment is not believed now. */
export function refuseAge(readAtMs: number, nowMs: number, maxAgeMs: number): Invalid | undefined {
  const at = new Date(readAtMs).toISOString()
  if (readAtMs > nowMs + skewMs) return invalid(`it says to be of ${at}, which lies in the future`)
  return nowMs - readAtMs > maxAgeMs ? invalid(`it is of ${at}, and older than \`maxStaleness\``) : undefined
}

function parseKept(text: string): v.InferOutput<typeof keptSchema> | undefined {
  try {
    const parsed = v.safeParse(keptSchema, JSON.parse(text))
    return parsed.success ? parsed.output : undefined
  } catch {
    return undefined
  }
}
