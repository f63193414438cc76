import { readFile, stat } from 'node:fs/promises'
import type { Report } from '../model/event.ts'
import { type Invalid, invalid } from '../model/invalid.ts'
import { parseRevocations, type Revocations } from './revocations.ts'

/** A revocations file that is read again whenever it changes; what was last good stays in force. */
export type RevocationsSource = AsyncDisposable & {
  readonly current: () => Revocations
  /** Looks at the file now, instead of at the next poll. */
  readonly refresh: () => Promise<void>
}

/** Opens a revocations file. It must be good to begin with: a start without it would forget who is revoked. */
export async function openRevocations(
  path: string,
  report: Report,
  pollMs: number,
): Promise<RevocationsSource | readonly Invalid[]> {
  const first = await readRevocations(path)
  if ('problems' in first) return first.problems.map((reason) => invalid(`${path}: ${reason}`))
  const watched = new WatchedRevocations(path, report, first)
  watched.start(pollMs)
  return watched
}
