import { type Invalid, invalid } from '../model/invalid.ts'

/** A JSON value as `parseStrictJson` reads it. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject

/** A JSON object. A `Map`, so that no member name can touch a prototype. */
export type JsonObject = ReadonlyMap<string, JsonValue>

/** Objects and arrays within each other: a chain of the greatest depth, eight, nests nine. */
const maxNesting = 16
const forbiddenNames: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])
/** With its quotes, a text of at least 13 characters. */
const shortToken = 15
const integerPattern = /^-?(?:0|[1-9][0-9]*)$/
const tokenPattern = /"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^\s{}[\]:,"]+/g

/**
 * Reads a JSON object that has only one reading: no duplicate member names at any level (RFC 8725 §2.4, RFC 7515 §4),
 * safe integers only, well-formed strings, bounded nesting. `JSON.parse` alone lets the last duplicate win, and another parser the first.
 */
export function parseStrictJson(text: string): JsonObject | Invalid {
  if (!isJson(text)) return invalid('expected JSON')
  const reader: Reader = { tokens: text.match(tokenPattern) ?? [], position: 0, problem: undefined }
  const value = readValue(reader, 1)
  if (reader.problem !== undefined) return invalid(reader.problem)
  return isJsonObject(value) ? value : invalid('expected a JSON object')
}

/** Whether a JSON value is an object. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return value instanceof Map
}

/** Whether a JSON value is an array of strings. */
export function isStringArray(value: JsonValue | undefined): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

type Reader = { readonly tokens: readonly string[]; position: number; problem: string | undefined }

/** The grammar is left to `JSON.parse`; what follows may then take every token for granted. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function readValue(reader: Reader, depth: number): JsonValue {
  const token = reader.tokens[reader.position++] ?? 'null'
  if (token === '{' || token === '[') {
    if (depth > maxNesting) return refuse(reader, `expected at most ${maxNesting} levels of nesting`)
    return token === '{' ? readObject(reader, depth) : readArray(reader, depth)
  }
  if (token.startsWith('"')) return readString(reader, token)
  if (token === 'true' || token === 'false') return token === 'true'
  if (token === 'null') return null
  const number = Number(token)
  const isSafe = integerPattern.test(token) && Number.isSafeInteger(number)
  return isSafe ? number : refuse(reader, 'expected safe integers only')
}

function readObject(reader: Reader, depth: number): JsonObject {
  const members = new Map<string, JsonValue>()
  if (reader.tokens[reader.position] === '}') reader.position++
  else {
    do {
      const name = readString(reader, reader.tokens[reader.position] ?? '""')
      if (members.has(name)) refuse(reader, `expected distinct member names, found \`${name}\` twice`)
      if (forbiddenNames.has(name)) refuse(reader, `found the forbidden member name \`${name}\``)
      reader.position += 2
      members.set(name, readValue(reader, depth + 1))
    } while (reader.problem === undefined && reader.tokens[reader.position++] === ',')
  }
  return members
}

function readArray(reader: Reader, depth: number): readonly JsonValue[] {
  const items: JsonValue[] = []
  if (reader.tokens[reader.position] === ']') reader.position++
  else {
    do items.push(readValue(reader, depth + 1))
    while (reader.problem === undefined && reader.tokens[reader.position++] === ',')
  }
  return items
}

function readString(reader: Reader, token: string): string {
  const text: unknown = isPlain(token) ? token.slice(1, -1) : JSON.parse(token)
  // A lone surrogate becomes U+FFFD when it is encoded again, so that two different strings would be one.
  if (typeof text === 'string' && text.isWellFormed()) return text
  refuse(reader, 'expected well-formed Unicode')
  return ''
}

/**
 * Whether the text is short and stands between the quotes as it is. Of a longer one V8 makes a slice that keeps all of
 * the document in memory (`SlicedString`, from 13 characters on): whoever remembers an id would remember a token.
 */
function isPlain(token: string): boolean {
  return token.length < shortToken && !token.includes('\\')
}

function refuse(reader: Reader, problem: string): null {
  reader.problem ??= problem
  return null
}
