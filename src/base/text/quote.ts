const maxLength = 80
const maxItems = 5

/**
 * Formats a value in backticks for a reason. A token may hold a text of thousands of characters, or an ill-formed one
 * that no reader of records would accept.
 */
export function quote(value: unknown): string {
  if (value === undefined) return 'nothing'
  return `\`${excerpt(typeof value === 'string' ? value : describe(value))}\``
}

/** Cuts a text to the length for reasons. */
export function excerpt(text: string): string {
  return (text.length > maxLength ? `${text.slice(0, maxLength)}…` : text).toWellFormed()
}

/** Formats the texts of a list in backticks, cut to the length for reasons; any other value as `quote` does. */
export function quoteAll(value: unknown): string {
  if (!Array.isArray(value) || value.length === 0) return quote(value)
  const shown = value.slice(0, maxItems).map(quote)
  return [...shown, ...(value.length > maxItems ? [`${value.length - maxItems} more`] : [])].join(', ')
}

/** Formats seconds since the epoch as ISO 8601; a number outside of the calendar stays a number. */
export function formatTime(seconds: number): string {
  const date = new Date(Math.floor(seconds) * 1000)
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString().replace('.000Z', 'Z')
}

function describe(value: unknown): string {
  if (value instanceof Map) return 'an object'
  return Array.isArray(value) ? 'a list' : String(value)
}
