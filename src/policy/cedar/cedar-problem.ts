import type { DetailedError } from '@cedar-policy/cedar-wasm/nodejs'
import { type Problem, placeAt } from '../../base/document/problem.ts'

/** The text that Cedar parsed, and its offset in the author's file. */
export type CedarText = {
  readonly file: string
  readonly whole: string
  readonly part: string
  readonly offset: number
}

const maxLabel = 100

/** Converts a Cedar error into a problem: the place with a caret, what is wrong, what was expected, and what to do. */
export function toCedarProblem(error: DetailedError, text: CedarText, about = ''): Problem {
  const place = placeOf(error, text)
  const { message, help, label } = wordsOf(error)
  // If nearly everything is possible at that place, the list of expectations is omitted.
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

/** Removes the names of Cedar's internal steps, and the policy's id, which the problem names already. */
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
): Partial<Place> {
  // For these Cedar reports a place inside of the name.
  const unresolved = /^failed to resolve types?: ([\w:]+)/.exec(message)?.[1]
  if (unresolved !== undefined) {
    const found = new RegExp(`(?<![\\w:])${unresolved}(?![\\w:])`).exec(part)
    return found === null ? {} : toPlace(whole, offset + found.index, unresolved.length)
  }
  const [location] = sourceLocations
  if (location === undefined) return {}
  const start = offsetOfByte(part, location.start)
  // The product's schema follows the operator's part. An error there means that the operator's part is incomplete.
  if (start > part.length) return toPlace(whole, whole.length, 1)
  return toPlace(whole, offset + start, offsetOfByte(part, location.end) - start)
}

type Place = Required<Pick<Problem, 'line' | 'column' | 'excerpt'>>

function toPlace(whole: string, offset: number, length: number): Place {
  // For text missing at the end of a file, the caret is after its last word.
  const isAtEnd = whole.slice(offset).trim() === ''
  return placeAt(whole, isAtEnd ? whole.trimEnd().length : offset, length)
}

/** Cedar counts bytes, and strings count UTF-16 units. An offset beyond the end stays beyond it. */
function offsetOfByte(text: string, bytes: number): number {
  const encoded = Buffer.from(text)
  return bytes > encoded.length ? bytes : encoded.subarray(0, bytes).toString().length
}
