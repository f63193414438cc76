import { type EntityUid, entityKey, isEntityUid } from '../../base/model/entity-uid.ts'
import { readDescents, type Variable } from './descents.ts'
import type { Policy } from './policies.ts'

/** The part of a request that a slice's policies can read, beyond principal, action and resource. */
export type Footprint = {
  /** The readable attributes of the context; `undefined` for all of them. */
  readonly context: ReadonlySet<string> | undefined
  /** Entities that policies name. Their attributes and ancestors must be available. */
  readonly literals: readonly EntityUid[]
  /**
   * Variables whose ancestors may be read, while only the names of all other entities are; `undefined` if any part of any
   * entity may be read.
   */
  readonly descents: ReadonlySet<Variable> | undefined
}

/**
 * Returns the footprint of a slice from its policies in Cedar's JSON. The default is everything. Only `context.x` and
 * `context has x` narrow it; any other use of the context reads all of it.
 */
export function readFootprint(policies: readonly Policy[]): Footprint {
  const context = new Set<string>()
  const literals = new Map<string, EntityUid>()
  let isWhole = false
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return
    if (isEntityUid(node)) literals.set(entityKey(node), node)
    if (isContext(node)) isWhole = true
    for (const [key, child] of Object.entries(node)) {
      const attributes = key === '.' || key === 'has' ? attributesOfContext(child) : undefined
      if (attributes === undefined) visit(child)
      else for (const attribute of attributes) context.add(attribute)
    }
  }
  for (const { json } of policies) visit([json.principal, json.action, json.resource, json.conditions])
  return {
    context: isWhole ? undefined : context,
    literals: [...literals.values()],
    descents: readDescents(policies),
  }
}

/**
 * Returns the first step of `context.x` or `context has x`, whose node has `left` and `attr`. A list of steps in `has` is
 * a path.
 */
function attributesOfContext(node: unknown): readonly string[] | undefined {
  if (typeof node !== 'object' || node === null || !('left' in node) || !('attr' in node)) return undefined
  if (!isContext(node.left)) return undefined
  if (typeof node.attr === 'string') return [node.attr]
  return Array.isArray(node.attr) && typeof node.attr[0] === 'string' ? [node.attr[0]] : undefined
}

function isContext(node: unknown): boolean {
  return typeof node === 'object' && node !== null && 'Var' in node && node.Var === 'context'
}
