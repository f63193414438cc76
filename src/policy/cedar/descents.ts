import type { Policy } from './policies.ts'

/** An entity that every question has. */
export type Variable = 'principal' | 'action' | 'resource'

/**
 * Returns the variables whose ancestors a slice reads, as `principal in Group::"x"` does. This holds only if the slice
 * reads nothing but names of other entities, and no attributes; otherwise `undefined`. An unknown operator may read
 * anything.
 */
export function readDescents(policies: readonly Policy[]): ReadonlySet<Variable> | undefined {
  const descents = new Set<Variable>()
  for (const { json } of policies) {
    for (const variable of variables) {
      const scope = json[variable]
      const isName = scope.op === 'All' || scope.op === '==' || (scope.op === 'is' && scope.in === undefined)
      if (!isName) descents.add(variable)
    }
    if (!json.conditions.every(({ body }) => isReadable(body, descents))) return undefined
  }
  return descents
}

const variables = ['principal', 'action', 'resource'] as const

/** Operators that use only the name of an entity, whichever operand it is. */
const plainOperators: ReadonlySet<string> = new Set(
  '== != < <= > >= && || + - * ! neg contains containsAll containsAny isEmpty if-then-else Set Record'.split(
    ' ',
  ),
)

/**
 * Parts of the context that are records and not entities (product-schema.ts), so their attributes belong to the context.
 */
const records: ReadonlySet<unknown> = new Set(['chain', 'http', 'params'])

/** True if an expression in Cedar's JSON reads only names, the context, and ancestors of variables. */
function isReadable(expression: unknown, descents: Set<Variable>): boolean {
  const [entry, ...others] = entriesOf(expression)
  if (entry === undefined || others.length > 0) return false
  const [operator, operands] = entry
  const isEach = (parts: readonly unknown[]) => parts.every((part) => isReadable(part, descents))
  switch (operator) {
    case 'Value':
    case 'Var':
      return true
    case '.':
    case 'has':
      return isOfContext(operands)
    case 'like':
      return isEach([memberOf(operands, 'left')])
    case 'in':
      return isDescent(operands, descents) && isEach([memberOf(operands, 'right')])
    case 'is': {
      const above = memberOf(operands, 'in')
      return above === undefined
        ? isEach([memberOf(operands, 'left')])
        : isDescent(operands, descents) && isEach([above])
    }
    default:
      return plainOperators.has(operator) && isEach(entriesOf(operands).map(([, operand]) => operand))
  }
}

/** `context.x`, and `context.x.y` where `x` is a record. A list of steps is a path. */
function isOfContext(operands: unknown): boolean {
  const steps = [memberOf(operands, 'attr')].flat()
  const left = memberOf(operands, 'left')
  if (memberOf(left, 'Var') === 'context')
    return steps.length === 1 || (steps.length === 2 && records.has(steps[0]))
  const inner = memberOf(left, '.')
  const isRecord =
    memberOf(memberOf(inner, 'left'), 'Var') === 'context' && records.has(memberOf(inner, 'attr'))
  return isRecord && steps.length === 1
}

/** Records whose ancestors are read. Anything but a plain variable could be any entity. */
function isDescent(operands: unknown, descents: Set<Variable>): boolean {
  const named = memberOf(memberOf(operands, 'left'), 'Var')
  const variable = variables.find((name) => name === named)
  if (variable !== undefined) descents.add(variable)
  return variable !== undefined
}

function memberOf(node: unknown, name: string): unknown {
  return entriesOf(node).find(([key]) => key === name)?.[1]
}

function entriesOf(node: unknown): readonly (readonly [string, unknown])[] {
  return typeof node === 'object' && node !== null ? Object.entries(node) : []
}
