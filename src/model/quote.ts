const maxLength = 80

/**
 * A value in backticks for a reason. A token may hold a text of thousands of characters, or one that is ill-formed and that
 * no reader of records would take.
 */
export function quote(value: unknown): string {
  if (value === undefined) return 'nothing'
  const text = typeof value === 'string' ? value : describe(value)
  const shown = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text
  return `\`${shown.toWellFormed()}\``
}

function describe(value: unknown): string {
  if (value instanceof Map) return 'an object'
  return Array.isArray(value) ? 'a list' : String(value)
}
