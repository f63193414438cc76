import type { Path } from './yaml.ts'

/**
 * A generic view of a schema: optional wrappers, objects with entries, lists with an item, records with values, unions,
 * and leaves. `pipe` may hold metadata.
 */
export type SchemaNode = {
  readonly type: string
  readonly wrapped?: SchemaNode
  readonly entries?: Readonly<Record<string, SchemaNode>>
  readonly item?: SchemaNode
  readonly value?: SchemaNode
  readonly literal?: unknown
  /** The member schemas of a union, or the words of a choice. */
  readonly options?: readonly unknown[]
  readonly pipe?: readonly unknown[]
}

/** Returns the schema under optional wrappers. */
export function unwrap(schema: SchemaNode): SchemaNode {
  return schema.wrapped === undefined ? schema : unwrap(schema.wrapped)
}

/** Returns the schema at a path. Wrappers are kept, because they may have a description. */
export function schemaAt(schema: SchemaNode, path: Path, root: unknown): SchemaNode {
  let node = schema
  let value = root
  for (const key of path) {
    const { entries, item, value: values } = branchFor(node, value)
    const child = entries === undefined ? (item ?? values) : ownEntry(entries, String(key))
    if (child === undefined) return node
    node = child
    value = isHolder(value) ? value[key] : undefined
  }
  return node
}

/** Returns the schema under its wrappers; of a union, the member that fits the shape of the value. */
export function branchFor(schema: SchemaNode, value: unknown): SchemaNode {
  const node = unwrap(schema)
  if (node.type !== 'union') return node
  const branches = unionOf(node).map((option) => branchFor(option, value))
  return branches.find((branch) => isHolder(value) === isHolding(branch)) ?? node
}

/** Returns the member schemas of a union. */
export function unionOf({ options = [] }: SchemaNode): readonly SchemaNode[] {
  return options.filter(isSchemaNode)
}

/** Returns the entry with that name; names such as `constructor` are not entries. */
export function ownEntry(
  entries: Readonly<Record<string, SchemaNode>>,
  name: string,
): SchemaNode | undefined {
  return Object.hasOwn(entries, name) ? entries[name] : undefined
}

/** True if a value has members. */
export function isHolder(value: unknown): value is Record<string | number, unknown> {
  return typeof value === 'object' && value !== null
}

function isHolding({ entries, item, value }: SchemaNode): boolean {
  return entries !== undefined || item !== undefined || value !== undefined
}

function isSchemaNode(value: unknown): value is SchemaNode {
  return isHolder(value) && typeof value['type'] === 'string'
}
