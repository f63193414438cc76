import { isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import { hintFor } from './values.ts'

/** A schema as a walker sees it: optional wrappers, objects with entries, arrays with an item, and leaves. */
export type SchemaNode = {
  readonly type: string
  readonly wrapped?: SchemaNode
  readonly entries?: Readonly<Record<string, SchemaNode>>
  readonly item?: SchemaNode
}

/** Where in the configuration: keys and indices from the root. */
export type Path = readonly (string | number)[]

/** The file as plain values, without unknown keys; what is wrong with it; and where things stand in it. */
export type ConfigTree = {
  readonly root: unknown
  readonly problems: readonly { readonly line: number; readonly path: Path; readonly message: string }[]
  /** The line of a key, or of what should hold it. */
  readonly lineOf: (path: Path) => number
}

// Enough for a shared block or two, too few for a bomb.
const maxAliases = 20

/** Reads YAML and takes out what the schema does not know. The root is `undefined` when the text is not YAML. */
export function readConfigTree(schema: SchemaNode, text: string): ConfigTree {
  const lines = new LineCounter()
  const document = parseDocument(text, {
    lineCounter: lines,
    stringKeys: true,
    uniqueKeys: true,
    prettyErrors: false,
  })
  const lineOf = (path: Path): number => lines.linePos(offsetOf(document.contents, path)).line
  const broken = (line: number, message: string) => ({
    line,
    path: [],
    message: `not usable as YAML: ${message}`,
  })
  if (document.errors.length > 0) {
    const problems = document.errors.map(({ pos, message }) => broken(lines.linePos(pos[0]).line, message))
    return { root: undefined, problems, lineOf }
  }
  try {
    const root: unknown = document.toJS({ maxAliasCount: maxAliases }) ?? {}
    return {
      root,
      problems: removeUnknownKeys(schema, root, []).map((key) => ({ ...key, line: lineOf(key.path) })),
      lineOf,
    }
  } catch (error) {
    // The library throws for an alias without anchor and for too many aliases.
    return {
      root: undefined,
      problems: [broken(1, error instanceof Error ? error.message : String(error))],
      lineOf,
    }
  }
}

/** The schema under optional wrappers. */
export function unwrap(schema: SchemaNode): SchemaNode {
  return schema.wrapped === undefined ? schema : unwrap(schema.wrapped)
}

function offsetOf(contents: unknown, path: Path): number {
  let node = contents
  let offset = 0
  for (const key of path) {
    const pair = isMap(node)
      ? node.items.find((item) => isScalar(item.key) && item.key.value === key)
      : undefined
    const next: unknown = pair?.value ?? (isSeq(node) ? node.items[Number(key)] : undefined)
    const found: unknown = pair?.key ?? next
    if (!isRanged(found)) break
    offset = found.range[0] ?? offset
    node = next
  }
  return offset
}

function isRanged(node: unknown): node is { readonly range: readonly number[] } {
  return typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range)
}

function removeUnknownKeys(
  schema: SchemaNode,
  value: unknown,
  path: Path,
): { path: Path; message: string }[] {
  const { entries, item } = unwrap(schema)
  if (typeof value !== 'object' || value === null) return []
  if (item !== undefined && Array.isArray(value)) {
    return value.flatMap((child, index) => removeUnknownKeys(item, child, [...path, index]))
  }
  if (entries === undefined) return []
  if (Array.isArray(value)) {
    value.length = 0
    return [{ path, message: 'expected keys and values, found a list' }]
  }
  return Object.entries(value).flatMap(([key, child]) => {
    const known = Object.hasOwn(entries, key) ? entries[key] : undefined
    if (known !== undefined) return removeUnknownKeys(known, child, [...path, key])
    Reflect.deleteProperty(value, key)
    return [{ path: [...path, key], message: `unknown key; ${hintFor(key, Object.keys(entries))}` }]
  })
}
