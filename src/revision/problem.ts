/** What is wrong in a policy repository, where, and what to do. Lines and columns count from 1. */
export type Problem = {
  readonly file: string
  readonly line?: number
  readonly column?: number
  readonly message: string
}

/** The problem as compilers print it: `file:line:column: message`. */
export function formatProblem({ file, line, column, message }: Problem): string {
  const place = [file, line, column].filter((part) => part !== undefined).join(':')
  return `${place}: ${message}`
}

const maxProblems = 50
const maxLength = 1000

/** As many problems as anybody reads, each as long as anybody reads; the last says how many more there are. */
export function limitProblems(problems: readonly Problem[]): readonly Problem[] {
  const isAll = problems.length <= maxProblems
  const shown = (isAll ? problems : problems.slice(0, maxProblems - 1)).map((problem) =>
    problem.message.length <= maxLength
      ? problem
      : { ...problem, message: `${problem.message.slice(0, maxLength - 1)}…` },
  )
  return isAll ? shown : [...shown, { file: '.', message: `and ${problems.length - shown.length} more` }]
}

/** Line and column of an offset into a text, in UTF-16 units. */
export function positionAt(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset)
  const lastBreak = before.lastIndexOf('\n')
  return { line: before.split('\n').length, column: offset - lastBreak }
}
