import { Composer, type Document, isMap, isScalar, isSeq, LineCounter, Parser, visit } from 'yaml'
import { describeCause } from '../model/fault.ts'
import { excerptAt } from './excerpt.ts'
import { maxDepth, tooDeepAt } from './yaml-depth.ts'
import { explainYamlFault } from './yaml-fault.ts'

/** A place in a document: keys and indices from the root. */
export type Path = readonly (string | number)[]

/** Line and column, counted from 1. */
export type Position = { readonly line: number; readonly column: number }

/** A YAML text as plain values, with their positions. */
export type YamlDocument = {
  readonly kind: 'document'
  readonly root: unknown
  /** Returns the position of a key or an item, or of the value that should contain it. */
  readonly positionOf: (path: Path) => Position
  /** Returns an unquoted value as written: `0123` where `root` has the number 123. */
  readonly writtenAt: (path: Path) => string | undefined
}

/** The first syntax error of a YAML text. Later errors only follow from it. */
export type YamlFault = Position & {
  readonly kind: 'fault'
  readonly message: string
  /** The line and a caret, as two lines. */
  readonly excerpt: string
}

type Fault = { readonly offset: number; readonly code: string; readonly message: string }

// Enough for a few shared blocks, too few for an alias bomb.
const maxAliases = 20
const options = { stringKeys: true, uniqueKeys: true, prettyErrors: false } as const

/** Several YAML documents in one text, as plain values. */
export type YamlStream = { readonly kind: 'documents'; readonly roots: readonly unknown[] }

/** Reads YAML strictly: keys are unique texts, and tags and unknown aliases are refused. Never throws. */
export function readYaml(text: string): YamlDocument | YamlFault {
  const composed = compose(text)
  if (composed.kind === 'fault') return composed
  const [document, second] = composed.documents
  if (document === undefined) return composed.refuse('expected a document, found nothing')
  if (second !== undefined)
    return composed.faultAt({ offset: second.range[0], code: 'MULTIPLE_DOCS', message: '' })
  const root = composed.toValue(document)
  if (root.kind === 'fault') return root
  return {
    kind: 'document',
    root: root.value,
    positionOf: (path) => composed.positionAt(find(document.contents, path).offset),
    writtenAt: (path) => find(document.contents, path).written,
  }
}

/** Reads all documents of a stream, separated by `---`. Never throws. */
export function readYamlStream(text: string): YamlStream | YamlFault {
  const composed = compose(text)
  if (composed.kind === 'fault') return composed
  const roots: unknown[] = []
  for (const document of composed.documents) {
    const root = composed.toValue(document)
    if (root.kind === 'fault') return root
    roots.push(root.value)
  }
  return { kind: 'documents', roots }
}

type Composed = {
  readonly kind: 'composed'
  readonly documents: readonly Document.Parsed[]
  readonly positionAt: (offset: number) => Position
  readonly faultAt: (fault: Fault) => YamlFault
  readonly refuse: (message: string) => YamlFault
  readonly toValue: (
    document: Document.Parsed,
  ) => { readonly kind: 'value'; readonly value: unknown } | YamlFault
}

function compose(text: string): Composed | YamlFault {
  const lines = new LineCounter()
  const positionAt = (offset: number): Position => {
    const { line, col } = lines.linePos(offset)
    return { line, column: col }
  }
  const refuse = (message: string, position: Position = { line: 1, column: 1 }): YamlFault => ({
    kind: 'fault',
    ...position,
    message: `not usable as YAML: ${message}`,
    excerpt: '',
  })
  if (text.includes('\0')) return refuse('found a NUL; if the file is UTF-16, save it as UTF-8')
  try {
    const tokens = [...new Parser(lines.addNewLine).parse(text)]
    const deep = tooDeepAt(tokens)
    if (deep !== undefined)
      return refuse(`expected at most ${maxDepth} levels of lists and keys in each other`, positionAt(deep))
    const documents = [...new Composer(options).compose(tokens, true, text.length)]
    const faultAt = (fault: Fault): YamlFault => toFault(text, positionAt(fault.offset), fault)
    const [fault] = documents.flatMap(faultsOf).sort((one, other) => one.offset - other.offset)
    if (fault !== undefined) return faultAt(fault)
    const toValue: Composed['toValue'] = (document) => {
      try {
        return { kind: 'value', value: document.toJS({ maxAliasCount: maxAliases }) }
      } catch (cause) {
        const said = describeCause(cause)
        if (!said.includes('Excessive alias count')) return refuse(said)
        const place = positionAt(firstAlias(document))
        return refuse(
          `expected at most ${maxAliases} aliases, each counted as often as it is repeated`,
          place,
        )
      }
    }
    return { kind: 'composed', documents, positionAt, faultAt, refuse, toValue }
  } catch (cause) {
    return refuse(describeCause(cause))
  }
}

/** Returns the offset of the first alias. */
function firstAlias(document: Document.Parsed): number {
  let offset = 0
  visit(document, {
    Alias(_, node) {
      offset = node.range?.[0] ?? 0
      return visit.BREAK
    },
  })
  return offset
}

function faultsOf(document: Document.Parsed): readonly Fault[] {
  // For the library an unknown tag is only a warning, and the value would be read as if it had no tag.
  const faults: Fault[] = [...document.errors, ...document.warnings].map(({ pos, code, message }) => ({
    offset: pos[0],
    code,
    message,
  }))
  visit(document, {
    Alias(_, node) {
      if (node.resolve(document) === undefined)
        faults.push({ offset: node.range?.[0] ?? 0, code: 'UNKNOWN_ALIAS', message: node.source })
    },
  })
  return faults
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
