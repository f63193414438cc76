import { foldName } from './header-name.ts'

/** Returns the values of query parameters, still escaped. */
export type QueryReader = (target: string) => readonly string[]

/**
 * Creates a reader for parameters with one of these lower-case names. It reads every spelling that a server might
 * accept: escaped, in another case, with another character for `_` (PHP), as a list (`name[]`), or after `;`.
 */
export function createQueryReader(names: readonly string[]): QueryReader {
  const folds = new Set(names.map(foldName))
  // Few queries contain the letters of a name, escaped or not. Only those are parsed.
  const hint = new RegExp(names.map((name) => [...name].map(toHint).join('')).join('|'), 'i')
  return (target) => {
    const question = target.indexOf('?')
    if (question === -1 || !hint.test(target)) return none
    const parts = target.slice(question + 1).split(/[&;]/)
    return parts.flatMap((part) => {
      const [written = ''] = part.split('=', 1)
      return readName(written).some((name) => folds.has(name)) ? [part.slice(written.length + 1)] : []
    })
  }
}

const none: readonly string[] = []

function toHint(character: string): string {
  if (!/[a-z0-9]/.test(character)) return '(?:%[0-9a-f]{2}|[^a-z0-9?&;=])'
  const codes = [character, character.toUpperCase()].map((letter) => letter.charCodeAt(0).toString(16))
  return `(?:${character}|${codes.map((code) => `%${code}`).join('|')})`
}

/** PHP skips blanks before a name, ends it at NUL, and reads `[` as the start of a list or as `_`. */
function readName(written: string): readonly string[] {
  const [name = ''] = withoutEscapes(written.replaceAll('+', ' ')).replace(/^ +/, '').split('\0', 1)
  const [listed = ''] = name.split('[', 1)
  return [foldName(name), foldName(listed)]
}

/** Bytes beyond ASCII become one character each, because none of the names contains any. */
function withoutEscapes(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
