const maxLength = 80
const maxItems = 5

/**
 * A value in backticks for a reason. A token may hold a text of thousands of characters, or one that is ill-formed and that
 * no reader of records would take.
 */
export function quote(value: unknown): string {
  if (value === undefined) return 'nothing'
  return `\`${excerpt(typeof value === 'string' ? value : describe(value))}\``
}

/** As much of a text as a reason has room for. */
export function excerpt(text: string): string {
  return (text.length > maxLength ? `${text.slice(0, maxLength)}…` : text).toWellFormed()
}

/** The texts of a list in backticks, as many as a reason has room for; any other value as `quote` shows it. */
export function quoteAll(value: unknown): string {
  if (!Array.isArray(value) || value.length === 0) return quote(value)
  const shown = value.slice(0, maxItems).map(quote)
  return [...shown, ...(value.length > maxItems ? [`${value.length - maxItems} more`] : [])].join(', ')
}

/** A time in seconds since the epoch, as ISO 8601; a number that no calendar reaches stays a number. */
export function formatTime(seconds: number): string {
  const date = new Date(Math.floor(seconds) * 1000)
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString().replace('.000Z', 'Z')
}

function describe(value: unknown): string {
  if (value instanceof Map) return 'an object'
  return Array.isArray(value) ? 'a list' : String(value)
}
