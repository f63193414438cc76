import * as v from 'valibot'
import type { Problems } from '../model/problems.ts'
import { show } from '../text/show.ts'
import { type Issue, toIssues } from './issue.ts'
import { isHolder, type SchemaNode } from './schema.ts'
import { takeUnknownKeys, withoutMeant } from './unknown-keys.ts'
import { type Path, type Position, readYaml, type YamlFault } from './yaml.ts'

/** A parsed document, and the position of each of its parts. */
export type ParsedDocument<T> = {
  readonly kind: 'document'
  readonly value: T
  readonly lineOf: (path: Path) => number
}

/** All schema violations of a document, in line order. */
export type DocumentProblems = Problems<Position & { readonly message: string; readonly excerpt?: string }>

/** Parses YAML by a schema. A syntax error is reported alone; otherwise all problems are reported. Never throws. */
export function parseDocument<T>(
  text: string,
  schema: v.GenericSchema<unknown, T> & SchemaNode,
): ParsedDocument<T> | DocumentProblems {
  const document = readYaml(text)
  if (document.kind === 'fault') return { kind: 'problems', problems: [withoutKind(document)] }
  const root = document.root ?? {}
  const names = namesAlong(root)
  const unknown = takeUnknownKeys(schema, root)
  const parsed = v.safeParse(schema, root)
  const found = (parsed.issues ?? []).flatMap((issue) => toIssues(schema, issue, { ...document, root }))
  const problems = [...unknown, ...withoutMeant(found, unknown)].map((issue) => ({
    ...document.positionOf(issue.path),
    message: sayWhere(issue, names),
  }))
  const { positionOf } = document
  if (parsed.success && problems.length === 0)
    return { kind: 'document', value: parsed.output, lineOf: (path) => positionOf(path).line }
  return { kind: 'problems', problems: problems.sort((one, other) => one.line - other.line) }
}

function withoutKind({ kind: _, ...fault }: YamlFault): Omit<YamlFault, 'kind'> {
  return fault
}

type Names = (path: Path) => readonly string[]

/** Returns the named list items along a path: "service `insurance`", or "service 3" without a name. */
function namesAlong(root: unknown): Names {
  return (path) => {
    const names: string[] = []
    let node = root
    for (const [position, key] of path.entries()) {
      node = isHolder(node) ? node[key] : undefined
      if (typeof key === 'number') names.push(nameOf(path[position - 1], key, node))
    }
    return names
  }
}

function nameOf(list: string | number | undefined, index: number, item: unknown): string {
  const noun = String(list ?? 'item').replace(/s$/, '')
  const own = isHolder(item) ? (item['name'] ?? item['match']) : undefined
  return typeof own === 'string' && own !== '' ? `${noun} ${show(own)}` : `${noun} ${index + 1}`
}

function sayWhere({ path, message }: Issue, names: Names): string {
  const lastItem = path.findLastIndex((key) => typeof key === 'number')
  const key = path.slice(lastItem + 1).join('.')
  const parts = [
    ...(names(path).length > 0 ? [names(path).join(', ')] : []),
    ...(key === '' ? [] : [`\`${key}\``]),
  ]
  return [...parts, message].join(': ')
}
