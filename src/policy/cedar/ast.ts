// Reads Cedar's JSON for expressions by its structure. The order of members has no meaning.

/** Yields every object within a value, outermost first: expressions, and the members that hold operands. */
export function* objectsIn(value: unknown): Generator<object> {
  if (typeof value !== 'object' || value === null) return
  if (!Array.isArray(value)) yield value
  for (const child of Object.values(value)) yield* objectsIn(child)
}

/** The two operands of a binary operator such as `&&`; `undefined` for any other expression. */
export function operandsOf(expression: unknown, operator: string): readonly [unknown, unknown] | undefined {
  const operands = memberOf(expression, operator)
  const [left, right] = [memberOf(operands, 'left'), memberOf(operands, 'right')]
  return left === undefined || right === undefined ? undefined : [left, right]
}

/**
 * Returns the texts that an expression compares `context.role` with, if it does nothing else: `context.role == "caller"`,
 * in either order, or `["caller", "delegator"].contains(context.role)`.
 */
export function comparedRoles(expression: unknown): readonly string[] | undefined {
  const equal = operandsOf(expression, '==')
  if (equal !== undefined) {
    const [one, other] = equal
    const text = isRole(one) ? textOf(other) : isRole(other) ? textOf(one) : undefined
    return text === undefined ? undefined : [text]
  }
  const [set, element] = operandsOf(expression, 'contains') ?? []
  const members = memberOf(set, 'Set')
  if (!(isRole(element) && Array.isArray(members))) return undefined
  const texts = members.flatMap((member) => textOf(member) ?? [])
  return texts.length === members.length ? texts : undefined
}

/** True if an expression is `context.role`. */
function isRole(expression: unknown): boolean {
  const access = memberOf(expression, '.')
  return memberOf(access, 'attr') === 'role' && memberOf(memberOf(access, 'left'), 'Var') === 'context'
}

function textOf(expression: unknown): string | undefined {
  const value = memberOf(expression, 'Value')
  return typeof value === 'string' ? value : undefined
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return Object.entries(value).find(([key]) => key === name)?.[1]
}
