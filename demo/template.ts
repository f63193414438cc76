import { readFileSync } from 'node:fs'
import { parse } from 'yaml'

/** The values of a template: text, numbers, booleans, lists and groups of them. */
export type Value = string | number | boolean | readonly Value[] | { readonly [name: string]: Value }

type Scope = { readonly [name: string]: Value }

/**
 * Renders a YAML template to JSON, which Envoy reads as well. `$(a.b)` is filled in; an item with `$for: x of list` is
 * repeated; an item with `$when: name` stands only when that is true. A name that is not given is an error.
 */
export function renderTemplate(file: string, values: Scope): string {
  return JSON.stringify(render(parse(readFileSync(file, 'utf8')), values), undefined, 2)
}

function render(node: unknown, scope: Scope): unknown {
  if (typeof node === 'string') return fill(node, scope)
  if (Array.isArray(node)) return node.flatMap((item: unknown) => renderItem(item, scope))
  if (!isGroup(node)) return node
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, render(value, scope)]))
}

function renderItem(item: unknown, scope: Scope): readonly unknown[] {
  if (!isGroup(item)) return [render(item, scope)]
  const { $for: loop, $when: condition, ...rest } = item
  if (typeof condition === 'string') return lookUp(condition, scope) === true ? [render(rest, scope)] : []
  if (typeof loop !== 'string') return [render(rest, scope)]
  const [name = '', list = ''] = loop.split(' of ')
  const values = lookUp(list, scope)
  if (!Array.isArray(values)) throw new Error(`template: expected \`${list}\` to be a list`)
  return values.map((value: Value) => render(rest, { ...scope, [name]: value }))
}

/** A string that is one placeholder keeps the value's own type: ports stay numbers. */
function fill(text: string, scope: Scope): Value {
  const whole = /^\$\(([\w.]+)\)$/.exec(text)?.[1]
  if (whole !== undefined) return lookUp(whole, scope)
  return text.replace(/\$\(([\w.]+)\)/g, (_, path: string) => String(lookUp(path, scope)))
}

function lookUp(path: string, scope: Scope): Value {
  let value: Value = scope
  for (const name of path.split('.')) {
    const next: unknown = isGroup(value) ? value[name] : undefined
    if (next === undefined) throw new Error(`template: no value is given for \`${path}\``)
    value = next as Value
  }
  return value
}

function isGroup(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
