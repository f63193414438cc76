import type { Standing } from './poller.ts'

/**
 * The notices of a source that could not be read, or whose content was refused. The last good content stays in force.
 */
export function toNotices(standing: Standing): readonly string[] {
  const what = standing.kind === 'failed' ? 'not followed' : 'not in force'
  return toTexts(standing).map((problem) => `${what}: ${problem}`)
}

/** The time is cut to the minute, so that workers that failed together have one notice. */
export function toTexts({ problems, sinceMs }: Standing): readonly string[] {
  const since = `${new Date(sinceMs).toISOString().slice(0, 'YYYY-MM-DDTHH:MM'.length)}Z`
  return problems.map((problem) => `${problem} (since ${since})`)
}
