import { basename, dirname } from 'node:path'
import type { DecisionRecord } from '../audit/format/record.ts'
import { readRevision } from '../audit/write/revision-store.ts'
import { isFault } from '../base/model/fault.ts'
import { areProblems, type Invalid, invalid, isInvalid } from '../base/model/invalid.ts'
import { type DecidingFiles, loadRevision } from '../policy/revision/load.ts'
import type { Revision } from '../policy/revision/revision.ts'
import { isCommitId } from '../policy/source/git-repository.ts'
import { digestFiles, toPolicyFiles } from '../policy/source/policy-files.ts'

/** How a record names what decided; a revision that somebody asks for by its id comes without a digest. */
export type StoredName = Pick<DecisionRecord, 'policyRevision' | 'policyDigest'>

/** Why a revision cannot be used: none is kept, its copy cannot be read, or the copy is no longer what was kept. */
export type NotStored = Invalid & { readonly why: 'missing' | 'unreadable' | 'changed' }

/** Loads a revision that was kept beside the records of its decisions, if it is still what was kept. */
export async function loadStored(audit: string, name: StoredName): Promise<Revision | NotStored> {
  const source = await readKept(audit, name)
  if (isInvalid(source)) return source
  const revision = loadRevision(source, { hasServed: true })
  return !areProblems(revision)
    ? revision
    : notStored('missing', `revision \`${source.id}\` no longer loads: ${revision[0]?.message ?? ''}`)
}

/**
 * Loads a revision that was kept beside one of several logs, which may be directories, files in them, or `-`. A copy that was
 * changed counts more than a good one elsewhere.
 */
export async function loadStoredIn(
  audits: readonly string[],
  name: StoredName,
): Promise<Revision | NotStored> {
  const places = [...new Set(audits.filter((path) => path !== '-').map(storageDirectory))]
  const all = await Promise.all(places.map((place) => loadStored(place, name)))
  const because = (why: NotStored['why']) => all.find((kept) => isInvalid(kept) && kept.why === why)
  return (
    because('changed') ??
    all.find((kept) => !isInvalid(kept)) ??
    because('unreadable') ??
    all[0] ??
    notStored('missing', 'standard input holds no policies; name the audit directory, where they are kept')
  )
}

/** The audit directory of a segment or of a worker's log: policies are kept there. */
function storageDirectory(path: string): string {
  const directory = path.endsWith('.ndjson') ? dirname(path) : path
  return /^worker-\d{1,2}$/.test(basename(directory)) ? dirname(directory) : directory
}

/** Reads the files of a revision that was kept, if they are still what was kept. */
export async function readKept(audit: string, name: StoredName): Promise<DecidingFiles | NotStored> {
  const { policyRevision: id, policyDigest } = name
  if (id === undefined) return notStored('missing', 'no policy revision was asked')
  const files = await readRevision(audit, id)
  if (isFault(files)) return notStored('unreadable', files.reason)
  if (isInvalid(files)) return notStored('missing', files.reason)
  const digest = digestFiles(files)
  const isSame = (policyDigest ?? digest) === digest && (isCommitId(id) || toPolicyFiles(files).id === id)
  if (isSame) return { id, files }
  const reason = `revision \`${id}\`: expected files with the digest \`${policyDigest ?? id}\`, found \`${digest}\`: the kept copy was changed`
  return notStored('changed', reason)
}

/** Whether a kept copy can be held against what decided: a commit alone names more than the files that are kept. */
export function isProvable({ policyRevision, policyDigest }: StoredName): boolean {
  return policyRevision !== undefined && (policyDigest !== undefined || !isCommitId(policyRevision))
}

function notStored(why: NotStored['why'], reason: string): NotStored {
  return { ...invalid(reason), why }
}
