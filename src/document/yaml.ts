import { Composer, type Document, isMap, isScalar, isSeq, LineCounter, Parser, visit } from 'yaml'
import { excerptAt } from './excerpt.ts'
import { maxDepth, tooDeepAt } from './yaml-depth.ts'
import { explainYamlFault } from './yaml-fault.ts'

/** Where in a document: keys and indices from the root. */
export type Path = readonly (string | number)[]

/** Line and column, counted from 1. */
export type Position = { readonly line: number; readonly column: number }

/** A YAML text as plain values, and where each of them stands. */
export type YamlDocument = {
  readonly kind: 'document'
  readonly root: unknown
  /** Of a key or an item, or of what should hold it. */
  readonly positionOf: (path: Path) => Position
  /** A value that stands without quotes, letter by letter: `0123` where `root` has the number 123. */
  readonly writtenAt: (path: Path) => string | undefined
}

/** The first place at which a text is no YAML. What comes after it only follows from it. */
export type YamlFault = Position & {
  readonly kind: 'fault'
  readonly message: string
  /** The line and a caret, in two lines. */
  readonly excerpt: string
}

type Fault = { readonly offset: number; readonly code: string; readonly message: string }

// Enough for a shared block or two, too few for a bomb.
const maxAliases = 20

/** Reads YAML strictly: keys are text and unique, tags and unknown aliases are refused. Never throws. */
export function readYaml(text: string): YamlDocument | YamlFault {
  const nul = text.indexOf('\0')
  if (nul !== -1) {
    const message =
      'expected text in UTF-8, found a NUL; a file from PowerShell may be UTF-16: save it as UTF-8'
    return { kind: 'fault', line: 1, column: 1, message, excerpt: '' }
  }
  const lines = new LineCounter()
  const positionAt = (offset: number): Position => {
    const { line, col } = lines.linePos(offset)
    return { line, column: col }
  }
  try {
    const tokens = [...new Parser(lines.addNewLine).parse(text)]
    const deep = tooDeepAt(tokens)
    if (deep !== undefined) {
      const message = `expected at most ${maxDepth} levels of lists and keys in each other`
      return { kind: 'fault', ...positionAt(deep), message, excerpt: '' }
    }
    const options = { stringKeys: true, uniqueKeys: true, prettyErrors: false } as const
    const [document, second] = new Composer(options).compose(tokens, true, text.length)
    if (document === undefined) throw new TypeError('the library composed no document')
    const fault = firstFault(document, second)
    if (fault !== undefined) return toFault(text, positionAt(fault.offset), fault)
    const root: unknown = document.toJS({ maxAliasCount: maxAliases })
    return {
      kind: 'document',
      root,
      positionOf: (path) => positionAt(find(document.contents, path).offset),
      writtenAt: (path) => find(document.contents, path).written,
    }
  } catch (cause) {
    // Too many aliases, or a nesting beyond the stack.
    const message = cause instanceof Error ? cause.message : String(cause)
    return { kind: 'fault', line: 1, column: 1, message: `not usable as YAML: ${message}`, excerpt: '' }
  }
}

function firstFault(document: Document.Parsed, second: Document.Parsed | undefined): Fault | undefined {
  // A tag without meaning is a warning to the library: the value would be taken as if the tag were not there.
  const faults: Fault[] = [...document.errors, ...document.warnings].map(({ pos, code, message }) => ({
    offset: pos[0],
    code,
    message,
  }))
  if (second !== undefined) faults.push({ offset: second.range[0], code: 'MULTIPLE_DOCS', message: '' })
  visit(document, {
    Alias(_, node) {
      if (node.resolve(document) === undefined)
        faults.push({ offset: node.range?.[0] ?? 0, code: 'UNKNOWN_ALIAS', message: node.source })
    },
  })
  const [first] = faults.sort((one, other) => one.offset - other.offset)
  return first
}

function toFault(text: string, { line, column }: Position, { code, message }: Fault): YamlFault {
  const shownLine = text.split('\n')[line - 1] ?? ''
  const explained = explainYamlFault(code, message, shownLine, column)
  return {
    kind: 'fault',
    line,
    column,
    message: `not usable as YAML: ${explained}`,
    excerpt: excerptAt(text, line, column),
  }
}

function find(contents: unknown, path: Path): { readonly offset: number; readonly written?: string } {
  let node = contents
  let offset = 0
  for (const key of path) {
    const pair = isMap(node)
      ? node.items.find((item) => isScalar(item.key) && item.key.value === key)
      : undefined
    const next: unknown = pair?.value ?? (isSeq(node) ? node.items[Number(key)] : undefined)
    const found: unknown = pair?.key ?? next
    if (!isRanged(found)) return { offset }
    offset = found.range[0] ?? offset
    node = next
  }
  const isPlain = isScalar(node) && node.type === 'PLAIN' && typeof node.source === 'string'
  return isPlain && isScalar(node) ? { offset, written: node.source ?? '' } : { offset }
}

function isRanged(node: unknown): node is { readonly range: readonly number[] } {
  return typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range)
}
