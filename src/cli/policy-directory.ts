import { formatProblem, type Problem } from '../base/document/problem.ts'
import { formatCount } from '../base/text/count.ts'
import { loadRevision } from '../policy/revision/load.ts'
import type { Revision } from '../policy/revision/revision.ts'
import { isUnusable, readPolicyDirectory } from '../policy/source/directory-source.ts'
import { complainAboutExcerpt, type Terminal, toLine } from './terminal.ts'

/** Loads the policy repository in a directory, or returns all problems. */
export async function loadDirectory(directory: string): Promise<Revision | readonly Problem[]> {
  const source = await readPolicyDirectory(directory)
  return isUnusable(source) ? source.problems : loadRevision(source)
}

/** Prints every problem with its line of the file, and their number. */
export function complainAboutPolicies(problems: readonly Problem[], place: string, terminal: Terminal): void {
  for (const problem of problems) {
    terminal.complain(toLine(formatProblem(problem)))
    complainAboutExcerpt(problem.excerpt, terminal)
  }
  terminal.complain(`${formatCount(problems.length, 'problem')} in \`${place}\`; it would not be served`)
}
