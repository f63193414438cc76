import { type Invalid, invalid, isInvalid } from '../model/invalid.ts'
import { show } from '../text/show.ts'
import { parseJsonTexts } from './json-texts.ts'
import { at, type KubeObject, listAt, textAt, toKubeObject } from './kube-object.ts'
import { isHolder } from './schema.ts'
import { readYamlStream } from './yaml.ts'

/**
 * Parses saved cluster state: JSON or YAML of `kubectl get`, one object or many, lists, the lists of `--raw`, several
 * outputs in one file, JSON lines, a watch, or manifests. Any other content is named in the error.
 */
export function parseKubectlOutput(output: string): readonly KubeObject[] | Invalid {
  const text = withoutMessages(output)
  const other = nameOther(text)
  if (other !== undefined) return refuse(other)
  const documents = /^[{[]/.test(text) ? parseJsonTexts(text) : parseYamlTexts(text)
  if (isInvalid(documents)) return documents
  const objects: KubeObject[] = []
  for (const document of documents) {
    const refusal = open(document, undefined, objects)
    if (refusal !== undefined) return refuse(refusal)
  }
  return objects
}

function refuse(found: string): Invalid {
  return invalid(`expected JSON or YAML of \`kubectl get\`, found ${found}`)
}

/** Removes stderr output of kubectl or `doctor` that was saved to the same file. */
function withoutMessages(output: string): string {
  return output.trim().replace(/^(?:(?:Warning: |[WI]\d{4} |\$ kubectl ).*(?:\r?\n|$)\s*)+/, '')
}

const others: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/^$/, 'nothing; is the file the right one?'],
  [/^(?:error: |Error from server|The connection to the server|Unable to connect)/, "kubectl's error"],
  [
    /^No resources found/,
    'no resources; does kubectl look at the right cluster, and at all namespaces (`-A`)?',
  ],
  [/^(?:NAMESPACE +)?NAME(?: {2,}\S|\s*\n)/, 'a table; add `-o json`'],
  [/^(?:[a-z.0-9-]+\/[a-z0-9.:-]+\s*)+$/, 'names alone; use `-o json` in place of `-o name`'],
  [
    /^Name: +\S+\r?\n(?:Namespace|Labels|Priority):/,
    'what `kubectl describe` prints; use `kubectl get … -o json`',
  ],
  [/^NAME: \S+\r?\nLAST DEPLOYED:/, "Helm's status; use `helm get manifest`, or `kubectl get … -o json`"],
  [/^<(?:!DOCTYPE|html)/i, 'a web page'],
]

function nameOther(text: string): string | undefined {
  const [, name] = others.find(([pattern]) => pattern.test(text)) ?? []
  return name === "kubectl's error" ? `${name}: ${show(text.split('\n')[0] ?? '')}` : name
}

function parseYamlTexts(text: string): readonly unknown[] | Invalid {
  const read = readYamlStream(text)
  if (read.kind === 'documents') return read.roots.filter((root) => root !== null)
  return invalid(`line ${read.line}, column ${read.column}: ${read.message}`)
}

/**
 * Adds the objects of a document; returns a description of any other content. `kind` is the kind that a list gives its
 * items.
 */
function open(node: unknown, kind: string | undefined, objects: KubeObject[]): string | undefined {
  if (Array.isArray(node)) return firstOf(node, (item) => open(item, kind, objects))
  if (!isHolder(node)) return show(node)
  const own = textAt(node, 'kind')
  if (own === 'Status') return `kubectl's error: ${show(textAt(node, 'message') ?? 'no message')}`
  if (own === 'Table') return 'a table of the API server; ask for JSON without `as=Table`'
  if (own !== undefined && Array.isArray(at(node, 'items'))) {
    const itemKind = own === 'List' ? undefined : own.replace(/List$/, '')
    return firstOf(listAt(node, 'items'), (item) => open(item, itemKind, objects))
  }
  // `kubectl get --watch --output-watch-events`.
  if (own === undefined && isHolder(node['object'])) return open(node['object'], kind, objects)
  if (own === undefined && kind === undefined) return withoutKind(node)
  objects.push(toKubeObject(own === undefined ? { ...node, kind } : node))
  return undefined
}

function withoutKind(node: object): string {
  const keys = Object.keys(node).slice(0, 5)
  return `an object without \`kind\`; it has ${keys.length === 0 ? 'no keys' : keys.map(show).join(', ')}`
}

function firstOf(
  items: readonly unknown[],
  refuseItem: (item: unknown) => string | undefined,
): string | undefined {
  for (const item of items) {
    const refusal = refuseItem(item)
    if (refusal !== undefined) return refusal
  }
  return undefined
}
