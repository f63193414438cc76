const maxShown = 80

/** A value as a message shows it: text in backticks and cut short, anything with parts by what it is. */
export function show(value: unknown): string {
  if (value === undefined || value === null) return 'nothing'
  if (value === '') return 'empty text'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (typeof value === 'object') return 'keys and values'
  const text = String(value)
  return `\`${text.length > maxShown ? `${text.slice(0, maxShown)}…` : text}\``
}
