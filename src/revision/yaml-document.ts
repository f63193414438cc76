import * as v from 'valibot'
import { LineCounter, parseDocument } from 'yaml'
import type { Problem } from './problem.ts'

/** A parsed document, and the line on which each part of it stands. */
export type YamlValue<T> = { readonly value: T; readonly lineOf: (path: readonly PropertyKey[]) => number }

/** Parses YAML by a schema; every problem carries its line. Keys are unique, aliases few. */
export function parseYaml<T>(
  file: string,
  text: string,
  schema: v.GenericSchema<unknown, T>,
): YamlValue<T> | readonly Problem[] {
  try {
    return parse(file, text, schema)
  } catch (cause) {
    // Aliases that multiply, a nesting beyond the stack: nobody's mistake, but no exception of ours either.
    return [{ file, message: `cannot be read: ${cause instanceof Error ? cause.message : String(cause)}` }]
  }
}

function parse<T>(
  file: string,
  text: string,
  schema: v.GenericSchema<unknown, T>,
): YamlValue<T> | readonly Problem[] {
  const counter = new LineCounter()
  const document = parseDocument(text, { lineCounter: counter, uniqueKeys: true, strict: true })
  const faults = document.errors.map((error) => ({
    file,
    ...at(error.linePos?.[0]),
    message: firstLine(error.message),
  }))
  if (faults.length > 0) return faults
  const lineOf = (path: readonly PropertyKey[]): number => {
    for (let depth = path.length; depth > 0; depth--) {
      const node: unknown = document.getIn(path.slice(0, depth), true)
      const offset = isRanged(node) ? node.range[0] : undefined
      if (offset !== undefined) return counter.linePos(offset).line
    }
    return 1
  }
  const parsed = v.safeParse(schema, document.toJS({ maxAliasCount: 20 }))
  if (parsed.success) return { value: parsed.output, lineOf }
  return parsed.issues.map((issue) => {
    const path = (issue.path ?? []).map((item) => item.key as PropertyKey)
    return { file, line: lineOf(path), message: `\`${path.map(String).join('.')}\`: ${toMessage(issue)}` }
  })
}

function toMessage(issue: v.BaseIssue<unknown>): string {
  if (issue.expected === 'never') return 'unknown key; check its spelling, or remove it'
  return issue.kind === 'schema'
    ? `expected ${issue.expected ?? 'another value'}, found ${issue.received}`
    : issue.message
}

function isRanged(node: unknown): node is { range: readonly number[] } {
  return typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range)
}

function at(position: { line: number; col: number } | undefined): { line?: number; column?: number } {
  return position === undefined ? {} : { line: position.line, column: position.col }
}

function firstLine(message: string): string {
  return (message.split('\n')[0] ?? message).replace(/ at line \d+, column \d+:?$/, '')
}
