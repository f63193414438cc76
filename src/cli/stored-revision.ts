import { basename, dirname } from 'node:path'
import type { DecisionRecord } from '../audit/format/record.ts'
import { readRevision } from '../audit/write/revision-store.ts'
import { isFault } from '../base/model/fault.ts'
import { type Invalid, invalid, isInvalid } from '../base/model/invalid.ts'
import { isProblems } from '../base/model/problems.ts'
import { type DecidingFiles, loadRevision } from '../policy/revision/load.ts'
import type { Revision } from '../policy/revision/revision.ts'
import { isCommitId } from '../policy/source/git-repository.ts'
import { digestFiles, toPolicyFiles } from '../policy/source/policy-files.ts'

/** The name of a revision in records. A revision that is requested by id has no digest. */
export type StoredName = Pick<DecisionRecord, 'policyRevision' | 'policyDigest'>

/** Why a revision cannot be used: it is not stored, its copy cannot be read, or its copy was changed. */
export type NotStored = Invalid & { readonly why: 'missing' | 'unreadable' | 'changed' }

/** Loads a revision that is stored beside the records of its decisions, if it is unchanged. */
export async function loadStored(audit: string, name: StoredName): Promise<Revision | NotStored> {
  const source = await readKept(audit, name)
  if (isInvalid(source)) return source
  const revision = loadRevision(source, { hasServed: true })
  return !isProblems(revision)
    ? revision
    : notStored(
        'missing',
        `revision \`${source.id}\` no longer loads: ${revision.problems[0]?.message ?? ''}`,
      )
}

/**
 * Loads a revision that is stored beside one of several logs: directories, files in them, or `-`. A changed copy takes
 * precedence over a good one elsewhere.
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
    notStored('missing', 'standard input contains no policies; name the audit directory, which stores them')
  )
}

/** Returns the audit directory of a segment or of a worker's log, which contains the stored policies. */
function storageDirectory(path: string): string {
  const directory = path.endsWith('.ndjson') ? dirname(path) : path
  return /^worker-\d{1,2}$/.test(basename(directory)) ? dirname(directory) : directory
}

/** Reads the files of a stored revision, if they are unchanged. */
export async function readKept(audit: string, name: StoredName): Promise<DecidingFiles | NotStored> {
  const { policyRevision: id, policyDigest } = name
  if (id === undefined) return notStored('missing', 'no policy revision was asked')
  const files = await readRevision(audit, id)
  if (isFault(files)) return notStored('unreadable', files.reason)
  if (isInvalid(files)) return notStored('missing', files.reason)
  const digest = digestFiles(files)
  const isSame = (policyDigest ?? digest) === digest && (isCommitId(id) || toPolicyFiles(files).id === id)
  if (isSame) return { id, files }
  const reason = `revision \`${id}\`: expected files with the digest \`${policyDigest ?? id}\`, found \`${digest}\`: the stored copy was changed`
  return notStored('changed', reason)
}

/**
 * True if a stored copy can be compared with the revision that decided. A commit alone covers more than the stored files.
 */
export function isProvable({ policyRevision, policyDigest }: StoredName): boolean {
  return policyRevision !== undefined && (policyDigest !== undefined || !isCommitId(policyRevision))
}

function notStored(why: NotStored['why'], reason: string): NotStored {
  return { ...invalid(reason), why }
}
