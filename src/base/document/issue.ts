import * as v from 'valibot'
import { closestTo } from '../text/did-you-mean.ts'
import { show } from '../text/show.ts'
import { branchFor, isHolder, type SchemaNode, schemaAt, unionOf, unwrap } from './schema.ts'
import type { Path, YamlDocument } from './yaml.ts'

/** What a schema does not accept: where, what was expected, what was found, and what to do. */
export type Issue = {
  readonly kind: 'missing' | 'wrong' | 'unknown'
  readonly path: Path
  readonly message: string
}

type Written = { readonly root: unknown; readonly writtenAt: YamlDocument['writtenAt'] }

const maxWords = 6

/** Says what a finding of a schema means to the author of the document. */
export function toIssues(
  schema: SchemaNode,
  found: v.BaseIssue<unknown>,
  written: Written,
): readonly Issue[] {
  const path = pathOf(found)
  const node = schemaAt(schema, path, written.root)
  if (found.type === 'union') {
    // The part of the union that takes what has this shape says what is wrong in it.
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
  // Our own parsers say what they found.
  if (type === 'raw_transform' || type === 'raw_check') return found.message
  const isScalar = typeof input === 'number' || typeof input === 'boolean'
  const shown = isScalar ? show(written ?? input) : show(input)
  const hint = hintAt(node, input, written)
  // A long list of words helps only if none of them is like the one that was found.
  const isObvious = hint !== '' && wordsOf(unwrap(node)).length > maxWords
  return `expected ${isObvious ? 'a known word' : expectationOf(node)}, found ${shown}${hint}`
}

/** What would make the value a good one, if little would. */
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

/** What a schema takes, in words that follow "expected". */
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

/** What a schema says of itself, in the last word that it has on it. */
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

/** Every node that is walked over is a part of a schema, seen with fewer of its members. */
function toSchema(node: SchemaNode): v.GenericSchema {
  return node as unknown as v.GenericSchema
}
