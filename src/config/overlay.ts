import { type SchemaNode, unionOf, unwrap } from '../base/document/schema.ts'
import type { Path } from '../base/document/yaml.ts'
import { type Invalid, invalid, isInvalid } from '../base/model/invalid.ts'
import { hintFor } from '../base/text/did-you-mean.ts'
import { show } from '../base/text/show.ts'

/**
 * The prefix of Waywarden's variables. It has two underscores, because Kubernetes creates `WAYWARDEN_PORT` from a
 * service's name.
 */
export const variablePrefix = 'WAYWARDEN__'

/** The result of one variable: the key that it set, or why it set none. */
export type Overlaid =
  | { readonly variable: string; readonly kind: 'set'; readonly path: Path }
  | { readonly variable: string; readonly kind: 'refused'; readonly message: string }

/** Writes the variables into the tree, ordered by name, so that `__0` comes before `__1`. */
export function overlay(
  schema: SchemaNode,
  root: unknown,
  variables: ReadonlyMap<string, string>,
): readonly Overlaid[] {
  const byName = [...variables].sort(([one], [other]) => one.localeCompare(other, 'en', { numeric: true }))
  return byName.map(([variable, value]) => {
    const found = findKey(schema, root, variable.slice(variablePrefix.length).split('__'))
    if (isInvalid(found)) return { variable, kind: 'refused', message: found.reason }
    found.set(value)
    return { variable, kind: 'set', path: found.path }
  })
}

type Key = { readonly path: Path; readonly set: (value: string) => void }

function findKey(schema: SchemaNode, root: unknown, segments: readonly string[]): Key | Invalid {
  let node = unwrap(schema)
  let holder: unknown = root
  const path: (string | number)[] = []
  for (const [position, segment] of segments.entries()) {
    const name = isItemless(node) ? undefined : keyOf(node, holder, segment)
    if (name === undefined) return invalid(`\`${path.join('.')}\` has no keys; remove \`__${segment}\``)
    if (isInvalid(name)) return name
    path.push(name)
    const isLast = position === segments.length - 1
    const child = unwrap(childOf(node, name))
    const isChoice = child.type === 'union'
    node = isChoice && !isLast ? withKeys(child) : child
    if (isLast && !isItemless(node))
      return invalid(
        `\`${path.join('.')}\` has keys of its own; set one of them, such as \`__${exampleKey(node)}\``,
      )
    if (isLast) return { path, set: setter(holder, name, node) }
    holder = descend(holder, name, node, isChoice)
  }
  return invalid('names no key')
}

function isItemless(node: SchemaNode): boolean {
  return node.entries === undefined && node.item === undefined
}

function keyOf(node: SchemaNode, holder: unknown, segment: string): string | number | Invalid {
  if (node.entries !== undefined) {
    const names = Object.keys(node.entries)
    const match = names.find((name) => name.toLowerCase() === segment.toLowerCase())
    const upper = names.map((name) => name.toUpperCase())
    return match ?? invalid(`unknown key ${show(segment)}; ${hintFor(segment.toUpperCase(), upper)}`)
  }
  const length = Array.isArray(holder) ? holder.length : 0
  const index = /^\d{1,4}$/.test(segment) ? Number(segment) : Number.NaN
  if (index <= length) return index
  return invalid(`expected the index of an item, from 0 to ${length}, found ${show(segment)}`)
}

function childOf(node: SchemaNode, name: string | number): SchemaNode {
  return node.entries?.[name] ?? node.item ?? node
}

function exampleKey(node: SchemaNode): string {
  return node.entries === undefined ? '0' : (Object.keys(node.entries)[0] ?? '').toUpperCase()
}

/** Returns the member of a union that has keys, such as the list of `any` or a list. */
function withKeys(node: SchemaNode): SchemaNode {
  return (
    unionOf(node)
      .map(unwrap)
      .find((option) => !isItemless(option)) ?? node
  )
}

/**
 * A holder of the wrong kind is a problem of the file and reported there; nothing is set in it. Where the file may have a
 * word or a list, a variable for an item replaces the word.
 */
function descend(holder: unknown, name: string | number, node: SchemaNode, isChoice: boolean): unknown {
  if (!isHolder(holder)) return undefined
  if (isChoice && !isHolder(holder[name])) holder[name] = undefined
  holder[name] ??= node.item === undefined ? {} : []
  return holder[name]
}

function setter(holder: unknown, name: string | number, node: SchemaNode): (value: string) => void {
  return (value) => {
    if (isHolder(holder)) holder[name] = toScalar(node, value)
  }
}

function isHolder(value: unknown): value is Record<string | number, unknown> {
  return typeof value === 'object' && value !== null
}

function toScalar({ type }: SchemaNode, value: string): unknown {
  if (type === 'boolean' && (value === 'true' || value === 'false')) return value === 'true'
  const isNumeric = type === 'number' || type === 'literal'
  return isNumeric && /^-?\d{1,15}(?:\.\d{1,15})?$/.test(value) ? Number(value) : value
}
