import type * as v from 'valibot'
import type { Problems } from '../model/problems.ts'
import { excerptAt } from './excerpt.ts'
import { type ParsedDocument, parseDocument } from './parse-document.ts'
import type { SchemaNode } from './schema.ts'

/** A problem in a policy repository: its place, and what to do. Lines and columns count from 1. */
export type Problem = {
  readonly file: string
  readonly line?: number
  readonly column?: number
  readonly message: string
  /** The line, and a caret under the column, as two lines. */
  readonly excerpt?: string
}

/** Parses a YAML file of the repository by a schema, or returns its problems. */
export function parseYaml<T>(
  file: string,
  text: string,
  schema: v.GenericSchema<unknown, T> & SchemaNode,
): ParsedDocument<T> | Problems<Problem> {
  const parsed = parseDocument(text, schema)
  if (parsed.kind === 'document') return parsed
  return { kind: 'problems', problems: parsed.problems.map((problem) => ({ file, ...problem })) }
}

/** Formats a problem like a compiler: `file:line:column: message`. */
export function formatProblem({ file, line, column, message }: Problem): string {
  const place = [file, line, column].filter((part) => part !== undefined).join(':')
  return `${place}: ${message}`
}

const maxProblems = 50
const maxLength = 1000

/** Limits the number and length of problems. The last one says how many were omitted. */
export function limitProblems(problems: readonly Problem[]): readonly Problem[] {
  const isAll = problems.length <= maxProblems
  const shown = (isAll ? problems : problems.slice(0, maxProblems - 1)).map((problem) =>
    problem.message.length <= maxLength
      ? problem
      : { ...problem, message: `${problem.message.slice(0, maxLength - 1)}…` },
  )
  return isAll ? shown : [...shown, { file: '.', message: `and ${problems.length - shown.length} more` }]
}

/** Returns line and column of an offset into a text, in UTF-16 units. */
export function positionAt(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset)
  const lastBreak = before.lastIndexOf('\n')
  return { line: before.split('\n').length, column: offset - lastBreak }
}

/** Returns the place of a problem in a file, with carets under `length` characters. */
export function placeAt(
  text: string,
  offset: number,
  length = 1,
): Required<Pick<Problem, 'line' | 'column' | 'excerpt'>> {
  const { line, column } = positionAt(text, offset)
  return { line, column, excerpt: excerptAt(text, line, column, length) }
}
