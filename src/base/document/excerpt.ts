/** Longer lines are cut around the column. */
const maxWidth = 100
const before = 60

/**
 * Returns a line of a text with a caret under a column; both count from 1. A tab is shown as `→`, so that the caret
 * aligns. Possible passwords in URLs are masked.
 */
export function excerptAt(text: string, line: number, column: number, length = 1): string {
  const whole = (text.split('\n')[line - 1] ?? '').replace(/\r$/, '')
  const safe = maskPasswords(whole).replaceAll('\t', '→')
  const start = safe.length <= maxWidth ? 0 : Math.max(0, column - 1 - before)
  const shown = safe.slice(start, start + maxWidth)
  const head = start > 0 ? '…' : ''
  const tail = start + maxWidth < safe.length ? '…' : ''
  const place = head.length + column - 1 - start
  const carets = '^'.repeat(Math.max(1, Math.min(length, shown.length + head.length - place)))
  const number = String(line)
  return `${number} | ${head}${shown}${tail}\n${' '.repeat(number.length)} | ${' '.repeat(place)}${carets}`
}

function maskPasswords(text: string): string {
  return text.replace(/\/\/[^\s/@]+(?=@)/g, (part) => `//${'*'.repeat(part.length - 2)}`)
}
