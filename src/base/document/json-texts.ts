import { describeCause } from '../model/fault.ts'
import { type Invalid, invalid, isInvalid } from '../model/invalid.ts'

/** Parses concatenated JSON texts, such as JSON lines or the output of several commands in one file. */
export function parseJsonTexts(text: string): readonly unknown[] | Invalid {
  const whole = parseJson(text, 0, text)
  if (!isInvalid(whole)) return [whole.value]
  const ends = endsOf(text)
  // A single, broken text.
  if (ends.length < 2 && text.slice(ends[0] ?? 0).trim() === '') return whole
  const values: unknown[] = []
  let start = 0
  for (const end of ends) {
    const part = parseJson(text.slice(start, end), start, text)
    if (isInvalid(part)) return part
    values.push(part.value)
    start = end
  }
  if (text.slice(start).trim() === '') return values
  return invalid(`${placeOf(text, start)}: expected the JSON to end; the file may be cut off`)
}

function parseJson(part: string, offset: number, text: string): { readonly value: unknown } | Invalid {
  try {
    return { value: JSON.parse(part) }
  } catch (cause) {
    const message = describeCause(cause)
    const [, position] = /at position (\d+)/.exec(message) ?? []
    const start = offset + part.length - part.trimStart().length
    const isCut = message.includes('end of JSON')
    // For a short text V8 reports the text instead of a position.
    const at = position === undefined ? (isCut ? offset + part.length : start) : offset + Number(position)
    return invalid(`${placeOf(text, at)}: ${message.replace(/ \(line.*\)$/, '').replaceAll('\n', ' ')}`)
  }
}

function placeOf(text: string, offset: number): string {
  const before = text.slice(0, offset)
  return `line ${before.split('\n').length}, column ${offset - before.lastIndexOf('\n')}`
}

/** Returns the end offsets of all top-level objects and lists. */
function endsOf(text: string): readonly number[] {
  const ends: number[] = []
  let depth = 0
  let isInText = false
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index]
    if (isInText) {
      if (character === '\\') index += 1
      else if (character === '"') isInText = false
    } else if (character === '"') isInText = true
    else if (character === '{' || character === '[') depth += 1
    else if (character === '}' || character === ']') {
      depth -= 1
      if (depth === 0) ends.push(index + 1)
    }
  }
  return ends
}
