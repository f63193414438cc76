import { readRevision } from '../audit/revision-store.ts'
import { type Invalid, invalid, isInvalid } from '../model/invalid.ts'
import { toPolicyFiles } from '../revision/directory-source.ts'
import { isCommitId } from '../revision/git-repository.ts'
import { loadRevision } from '../revision/load.ts'
import type { Revision } from '../revision/revision.ts'

/** Loads a revision that was kept beside the records of its decisions, if it is still what was kept. */
export async function loadKept(audit: string, id: string | undefined): Promise<Revision | Invalid> {
  if (id === undefined) return invalid('no policy revision was asked')
  const kept = await readRevision(audit, id)
  if (isInvalid(kept)) return kept
  // A commit names more than these files, so only a directory's id tells whether they are still the same.
  const source = isCommitId(id) ? { id, files: kept } : toPolicyFiles(kept)
  if (source.id !== id)
    return invalid(
      `revision \`${id}\`: the files that were kept hash to \`${source.id}\`, so they were changed`,
    )
  const revision = loadRevision(source)
  return 'evaluate' in revision
    ? revision
    : invalid(`revision \`${id}\` no longer loads: ${revision[0]?.message ?? ''}`)
}
