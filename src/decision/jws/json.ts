import { type Invalid, invalid } from '../../base/model/invalid.ts'
import { quote } from '../../base/text/quote.ts'

/** A JSON value as `parseStrictJson` reads it. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject

/** A JSON object. It is a `Map`, so that no member name can reach a prototype. */
export type JsonObject = ReadonlyMap<string, JsonValue>

/**
 * How strict the reader is. `ours`: a document that Waywarden wrote, so any deviation is an attack. `provider`: a
 * document for many readers, so unread members may hold any JSON value.
 */
export type Reading = 'ours' | 'provider'

/** The maximum nesting. A chain of the maximum depth, eight, nests nine. */
const maxNesting: Readonly<Record<Reading, number>> = { ours: 16, provider: 64 }
const forbiddenNames: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])
/** The longest token to use as it is, quotes included: a text of at most 13 characters. */
const shortToken = 15
const integerPattern = /^-?(?:0|[1-9][0-9]*)$/
const tokenPattern = /"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^\s{}[\]:,"]+/g

/**
 * Parses a JSON object that has exactly one reading: no duplicate member names at any level (RFC 8725 §2.4, RFC 7515 §4)
 * and bounded nesting. Documents of ours also have only safe integers, well-formed strings and harmless names. With
 * duplicates, `JSON.parse` takes the last value, and another parser may take the first. In a provider's document numbers
 * can be unsafe and strings ill-formed; the reader of such a member checks it (`isSafeInteger`, `isWellFormed`).
 */
export function parseStrictJson(text: string, reading: Reading = 'ours'): JsonObject | Invalid {
  if (!isJson(text))
    return invalid(
      text.startsWith('-----BEGIN') ? 'expected JSON, found PEM; write it as a JWK' : 'expected JSON',
    )
  const reader: Reader = { tokens: text.match(tokenPattern) ?? [], reading, position: 0, problem: undefined }
  const value = readValue(reader, 1)
  if (reader.problem !== undefined) return invalid(reader.problem)
  return isJsonObject(value) ? value : invalid('expected a JSON object')
}

/** True if a JSON value is an object. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return value instanceof Map
}

/** True if a JSON value is an array of strings. */
export function isStringArray(value: JsonValue | undefined): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

type Reader = {
  readonly tokens: readonly string[]
  readonly reading: Reading
  position: number
  problem: string | undefined
}

/** `JSON.parse` checks the grammar. The code after it relies on every token. */
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
    const most = maxNesting[reader.reading]
    if (depth > most) return refuse(reader, `expected at most ${most} levels of nesting`)
    return token === '{' ? readObject(reader, depth) : readArray(reader, depth)
  }
  if (token.startsWith('"')) return readString(reader, token)
  if (token === 'true' || token === 'false') return token === 'true'
  if (token === 'null') return null
  const number = Number(token)
  if (reader.reading === 'provider') return number
  const isSafe = integerPattern.test(token) && Number.isSafeInteger(number)
  return isSafe ? number : refuse(reader, 'expected safe integers only')
}

function readObject(reader: Reader, depth: number): JsonObject {
  const members = new Map<string, JsonValue>()
  if (reader.tokens[reader.position] === '}') reader.position++
  else {
    do {
      const name = readString(reader, reader.tokens[reader.position] ?? '""')
      if (members.has(name)) refuse(reader, `expected distinct member names, found ${quote(name)} twice`)
      // A map has no prototype that a name could reach. In documents of ours such a name is an attack on another reader.
      if (reader.reading === 'ours' && forbiddenNames.has(name))
        refuse(reader, `found the forbidden member name \`${name}\``)
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
  // Encoding turns a lone surrogate into U+FFFD, so two different strings would become one.
  if (typeof text === 'string' && (text.isWellFormed() || reader.reading === 'provider')) return text
  refuse(reader, 'expected well-formed Unicode')
  return ''
}

/**
 * True if the text is short and needs no unescaping. V8 makes a slice of a longer one that keeps the whole document in
 * memory (`SlicedString`, from 13 characters on). Then a cached id would keep a whole token in memory.
 */
function isPlain(token: string): boolean {
  return token.length < shortToken && !token.includes('\\')
}

function refuse(reader: Reader, problem: string): null {
  reader.problem ??= problem
  return null
}
