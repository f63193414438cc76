const maxShown = 80

/** Formats a value for a message: text in backticks and cut, an object or list by its kind. */
export function show(value: unknown): string {
  if (value === undefined || value === null) return 'nothing'
  if (value === '') return 'empty text'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (typeof value === 'object') return 'keys and values'
  const text = String(value)
  return `\`${text.length > maxShown ? `${text.slice(0, maxShown)}…` : text}\``
}
