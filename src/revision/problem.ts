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

/** Line and column of an offset into a text, in UTF-16 units. */
export function positionAt(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset)
  const lastBreak = before.lastIndexOf('\n')
  return { line: before.split('\n').length, column: offset - lastBreak }
}
