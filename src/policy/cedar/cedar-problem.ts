import type { DetailedError } from '@cedar-policy/cedar-wasm/nodejs'
import { type Problem, placeAt } from '../../base/document/problem.ts'

/** The text that Cedar was given, and where it begins in the file that its author wrote. */
export type CedarText = {
  readonly file: string
  readonly whole: string
  readonly part: string
  readonly offset: number
}

const maxLabel = 100

/** What Cedar says of a text: the place in the file with a caret, what is wrong, what was expected, what to do. */
export function toCedarProblem(error: DetailedError, text: CedarText, about = ''): Problem {
  const place = placeOf(error, text)
  const { message, help, label } = wordsOf(error)
  // Where nearly everything might stand, a list of it helps nobody.
  const isShort = label?.startsWith('expected') === true && label.length <= maxLabel
  const expected = isShort ? `, ${label}` : ''
  const remedy = help === undefined ? '' : ` (${help})`
  return { file: text.file, ...place, message: `${about}${message}${expected}${remedy}` }
}

type Words = {
  readonly message: string
  readonly help: string | undefined
  readonly label: string | undefined
}

/** Without the names of Cedar's own steps, and without the policy's id, which is said once before. */
function wordsOf({ message, help, sourceLocations = [] }: DetailedError): Words {
  const clean = (text: string): string =>
    text
      .replace(/^(?:failed to parse schema from string: |error parsing schema: )+/, '')
      .replace(/^for policy `[^`]*`, /, '')
  const unresolved = /^failed to resolve types?: (.*)$/.exec(message)?.[1]
  return {
    message: unresolved === undefined ? clean(message) : `no type \`${unresolved}\` is declared`,
    help: help === null || unresolved !== undefined ? undefined : clean(help),
    label: sourceLocations[0]?.label ?? undefined,
  }
}

function placeOf(
  { message, sourceLocations = [] }: DetailedError,
  { whole, part, offset }: CedarText,
): Place | object {
  // Cedar gives these a place inside of the name itself.
  const unresolved = /^failed to resolve types?: ([\w:]+)/.exec(message)?.[1]
  if (unresolved !== undefined) {
    const found = new RegExp(`(?<![\\w:])${unresolved}(?![\\w:])`).exec(part)
    return found === null ? {} : toPlace(whole, offset + found.index, unresolved.length)
  }
  const [location] = sourceLocations
  if (location === undefined) return {}
  const start = offsetOfByte(part, location.start)
  // Behind the operator's part of a schema ours follows: what is wrong there is a part of theirs that does not end.
  if (start > part.length) return toPlace(whole, whole.length, 1)
  return toPlace(whole, offset + start, offsetOfByte(part, location.end) - start)
}

type Place = Required<Pick<Problem, 'line' | 'column' | 'excerpt'>>

function toPlace(whole: string, offset: number, length: number): Place {
  // What is missing at the end of a file is shown after its last word.
  const isAtEnd = whole.slice(offset).trim() === ''
  return placeAt(whole, isAtEnd ? whole.trimEnd().length : offset, length)
}

/** Cedar counts bytes, strings count UTF-16 units. Beyond the end of the text it stays beyond. */
function offsetOfByte(text: string, bytes: number): number {
  const encoded = Buffer.from(text)
  return bytes > encoded.length ? bytes : encoded.subarray(0, bytes).toString().length
}
