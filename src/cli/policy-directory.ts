import { formatProblem, type Problem } from '../base/document/problem.ts'
import { isFailure } from '../base/model/failure.ts'
import type { Problems } from '../base/model/problems.ts'
import { formatCount } from '../base/text/count.ts'
import { loadRevision } from '../policy/revision/load.ts'
import type { Revision } from '../policy/revision/revision.ts'
import { readPolicyDirectory } from '../policy/source/directory-source.ts'
import { complainAboutExcerpt, type Terminal, toLine } from './terminal.ts'

/** Loads the policy repository in a directory, or returns all problems. */
export async function loadDirectory(directory: string): Promise<Revision | Problems<Problem>> {
  const source = await readPolicyDirectory(directory)
  return isFailure(source) ? { ...source, kind: 'problems' } : loadRevision(source)
}

/** Prints every problem with its line of the file, and their number. */
export function complainAboutPolicies(problems: readonly Problem[], place: string, terminal: Terminal): void {
  for (const problem of problems) {
    terminal.complain(toLine(formatProblem(problem)))
    complainAboutExcerpt(problem.excerpt, terminal)
  }
  terminal.complain(`${formatCount(problems.length, 'problem')} in \`${place}\`; it cannot serve`)
}
