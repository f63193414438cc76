import * as v from 'valibot'
import { closestTo } from '../text/did-you-mean.ts'
import { show } from '../text/show.ts'
import { branchFor, isHolder, type SchemaNode, schemaAt, unionOf, unwrap } from './schema.ts'
import type { Path, YamlDocument } from './yaml.ts'

/** A violation of a schema: its place, the expectation, the finding, and a hint. */
export type Issue = {
  readonly kind: 'missing' | 'wrong' | 'unknown'
  readonly path: Path
  readonly message: string
}

type Written = { readonly root: unknown; readonly writtenAt: YamlDocument['writtenAt'] }

const maxWords = 6

/** Explains schema violations to the author of the document. */
export function toIssues(
  schema: SchemaNode,
  found: v.BaseIssue<unknown>,
  written: Written,
): readonly Issue[] {
  const path = pathOf(found)
  const node = schemaAt(schema, path, written.root)
  if (found.type === 'union') {
    // The union member that fits the shape of the value explains the violation.
    const branch = branchFor(node, found.input)
    const inner = v.safeParse(toSchema(branch), found.input)
    if (branch.type !== 'union' && !inner.success)
      return inner.issues.flatMap((issue) =>
        toIssues(branch, issue, within(written, path, found.input)).map((each) => ({
          ...each,
          path: [...path, ...each.path],
        })),
      )
  }
  if (found.type === 'strict_object' && found.received === 'undefined') {
    const description = metadataOf(node, 'description') ?? expectationOf(node)
    return [{ kind: 'missing', path, message: `missing; add it: ${description}` }]
  }
  return [{ kind: 'wrong', path, message: toMessage(node, found, written.writtenAt(path)) }]
}

function within({ writtenAt }: Written, path: Path, root: unknown): Written {
  return { root, writtenAt: (rest) => writtenAt([...path, ...rest]) }
}

function toMessage(node: SchemaNode, found: v.BaseIssue<unknown>, written: string | undefined): string {
  const { input, type } = found
  // Our own parsers return their own message.
  if (type === 'raw_transform' || type === 'raw_check') return found.message
  const isScalar = typeof input === 'number' || typeof input === 'boolean'
  const shown = isScalar ? show(written ?? input) : show(input)
  const hint = hintAt(node, input, written)
  // A long list of words helps only if none of them resembles the value.
  const isObvious = hint !== '' && wordsOf(unwrap(node)).length > maxWords
  return `expected ${isObvious ? 'a known word' : expectationOf(node)}, found ${shown}${hint}`
}

/** Suggests a small change that would make the value valid. */
function hintAt(schema: SchemaNode, input: unknown, written: string | undefined): string {
  const node = branchFor(schema, input)
  const takes = (value: unknown): boolean => v.safeParse(toSchema(node), value).success
  if (typeof input === 'string') {
    if (node.type === 'picklist') {
      const closest = closestTo(input, wordsOf(node))
      return closest === undefined ? '' : `; did you mean ${show(closest)}?`
    }
    const word = /^(?:yes|on|y|true)$/i.test(input)
      ? 'true'
      : /^(?:no|off|n|false)$/i.test(input)
        ? 'false'
        : ''
    if (node.type === 'boolean' && word !== '') return `; write \`${word}\``
    if (node.type === 'array' && takes([input])) return `; write \`[${input}]\``
    if (node.type === 'number' && input.trim() !== '' && takes(Number(input))) return '; take the quotes away'
    return ''
  }
  if (input === null && node.type === 'array' && takes([])) return '; write `[]` while there is none'
  const isUnquoted = typeof input === 'number' || typeof input === 'boolean'
  if (node.type !== 'string' || !isUnquoted || written === undefined || !takes(written)) return ''
  return `, which YAML reads as ${typeof input === 'number' ? 'a number' : 'true or false'}; quote it: \`'${written}'\``
}

/** Describes the values that a schema accepts, in words that follow "expected". */
function expectationOf(schema: SchemaNode): string {
  const node = unwrap(schema)
  const own = metadataOf(node, 'expected')
  if (own !== undefined) return own
  const example = metadataOf(node, 'examples')
  switch (node.type) {
    case 'string':
      return example === undefined ? 'text' : `text such as \`${example}\``
    case 'boolean':
      return 'true or false'
    case 'number':
      return 'a number'
    case 'array':
      return 'a list'
    case 'literal':
      return `\`${String(node.literal)}\``
    case 'picklist':
      return oneOf(wordsOf(node))
    case 'union':
      return unionOf(node).map(expectationOf).join(', or ')
    default:
      return 'keys and values'
  }
}

function oneOf(words: readonly string[]): string {
  const shown = words.map(show)
  return words.length > maxWords ? `one of ${shown.join(', ')}` : shown.join(' or ')
}

function wordsOf({ options = [] }: SchemaNode): readonly string[] {
  return options.filter((option) => typeof option === 'string')
}

/** Returns the last metadata of a schema with this name. */
function metadataOf(schema: SchemaNode, name: 'description' | 'examples' | 'expected'): string | undefined {
  const found = (schema.pipe ?? []).flatMap((action): readonly unknown[] => {
    if (!isHolder(action)) return []
    if (action['type'] === name) return Array.isArray(action[name]) ? action[name] : [action[name]]
    return isHolder(action['metadata']) ? [action['metadata'][name]] : []
  })
  const last = found.findLast((value) => typeof value === 'string')
  return typeof last === 'string' ? last : undefined
}

function pathOf(issue: v.BaseIssue<unknown>): Path {
  return (issue.path ?? []).map(({ key }) => (typeof key === 'number' ? key : String(key)))
}

/** Every node of the walk is part of a schema, with a narrower type. */
function toSchema(node: SchemaNode): v.GenericSchema {
  return node as unknown as v.GenericSchema
}
