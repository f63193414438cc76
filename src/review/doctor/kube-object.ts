import { parseAllDocuments } from 'yaml'
import { type Invalid, invalid } from '../../model/invalid.ts'

/** Labels or annotations. */
export type Labels = ReadonlyMap<string, string>

/** What every Kubernetes object has; `body` is the whole of it. */
export type KubeObject = {
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly labels: Labels
  readonly annotations: Labels
  readonly body: unknown
}

/** Parses what `kubectl get -o json` prints, once or several times in a row, or YAML documents. Lists are opened. */
export function parseKubeObjects(text: string): readonly KubeObject[] | Invalid {
  try {
    const documents = text.trimStart().startsWith('{') ? parseJsonStream(text) : parseYamlStream(text)
    const objects = documents.flatMap(openList)
    if (objects.some((object) => textAt(object, 'kind') === undefined))
      return invalid('expected Kubernetes objects, found something without `kind`')
    return objects.map(toKubeObject)
  } catch (cause) {
    return invalid(`expected \`kubectl get … -o json\`: ${cause instanceof Error ? cause.message : cause}`)
  }
}

/** The value at a path of keys, `undefined` where there is none. */
export function at(node: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, key)
        ? (value as Readonly<Record<string, unknown>>)[key]
        : undefined,
    node,
  )
}

/** The text at a path; numbers and booleans, which YAML makes of unquoted text, as they are written. */
export function textAt(node: unknown, ...path: readonly string[]): string | undefined {
  const value = at(node, ...path)
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined
}

/** The items at a path, none of anything that is no list. */
export function listAt(node: unknown, ...path: readonly string[]): readonly unknown[] {
  const value = at(node, ...path)
  return Array.isArray(value) ? value : []
}

/** The texts of a list at a path. */
export function textsAt(node: unknown, ...path: readonly string[]): readonly string[] {
  return listAt(node, ...path).flatMap((item) => textAt(item) ?? [])
}

/** The keys and texts at a path, `undefined` when nothing stands there. */
export function labelsAt(node: unknown, ...path: readonly string[]): Labels | undefined {
  const value = at(node, ...path)
  if (typeof value !== 'object' || value === null) return undefined
  return new Map(Object.keys(value).flatMap((key) => [[key, textAt(value, key) ?? ''] as const]))
}

function parseYamlStream(text: string): readonly unknown[] {
  return parseAllDocuments(text).flatMap((document) => {
    const [error] = document.errors
    if (error !== undefined) throw error
    const value: unknown = document.toJS()
    return value === null ? [] : [value]
  })
}

/** JSON texts one after the other, as several `kubectl` calls into one file leave them. */
function parseJsonStream(text: string): readonly unknown[] {
  const documents: unknown[] = []
  let depth = 0
  let start = 0
  let isInText = false
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index]
    if (isInText) {
      if (character === '\\') index += 1
      else if (character === '"') isInText = false
      continue
    }
    if (character === '"') isInText = true
    else if (character === '{') depth += 1
    else if (character === '}') {
      depth -= 1
      if (depth > 0) continue
      documents.push(JSON.parse(text.slice(start, index + 1)))
      start = index + 1
    }
  }
  if (text.slice(start).trim() !== '') throw new SyntaxError('the last object does not end')
  return documents
}

function openList(node: unknown): readonly unknown[] {
  return Array.isArray(at(node, 'items')) ? listAt(node, 'items').flatMap(openList) : [node]
}

function toKubeObject(body: unknown): KubeObject {
  return {
    kind: textAt(body, 'kind') ?? '',
    namespace: textAt(body, 'metadata', 'namespace') ?? '',
    name: textAt(body, 'metadata', 'name') ?? '',
    labels: labelsAt(body, 'metadata', 'labels') ?? new Map(),
    annotations: labelsAt(body, 'metadata', 'annotations') ?? new Map(),
    body,
  }
}
