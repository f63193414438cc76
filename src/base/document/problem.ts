import type * as v from 'valibot'
import { excerptAt } from './excerpt.ts'
import { type ParsedDocument, parseDocument } from './parse-document.ts'
import type { SchemaNode } from './schema.ts'

/** What is wrong in a policy repository, where, and what to do. Lines and columns count from 1. */
export type Problem = {
  readonly file: string
  readonly line?: number
  readonly column?: number
  readonly message: string
  /** The line with a caret under the place, in two lines. */
  readonly excerpt?: string
}

/** Parses a YAML file of the repository by a schema, or says what is wrong with it. */
export function parseYaml<T>(
  file: string,
  text: string,
  schema: v.GenericSchema<unknown, T> & SchemaNode,
): ParsedDocument<T> | readonly Problem[] {
  const parsed = parseDocument(text, schema)
  return parsed.kind === 'document' ? parsed : parsed.problems.map((problem) => ({ file, ...problem }))
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

/** A place in a file as a problem names it, with carets under so many characters. */
export function placeAt(
  text: string,
  offset: number,
  length = 1,
): Required<Pick<Problem, 'line' | 'column' | 'excerpt'>> {
  const { line, column } = positionAt(text, offset)
  return { line, column, excerpt: excerptAt(text, line, column, length) }
}
