/**
 * A header field, with what its name means to us worked out once: a field that stands in HPACK's table is met again on
 * every call. `malformed` makes a whole request malformed (RFC 9113 §8.2).
 */
export type HeaderField = {
  readonly name: string
  readonly value: string
  /** What it counts in tables and lists: RFC 7541 §4.1. */
  readonly bytes: number
  readonly kind: FieldKind
  /** How many times calls hold it: see `holdHead`. */
  holders: number
}

/** `plumbing` belongs to gRPC itself; `binary` is metadata that we do not read. */
export type FieldKind =
  | 'method'
  | 'scheme'
  | 'path'
  | 'authority'
  | 'content-type'
  | 'content-length'
  | 'timeout'
  | 'plumbing'
  | 'binary'
  | 'metadata'
  | 'malformed'

const kinds: ReadonlyMap<string, FieldKind> = new Map<string, FieldKind>([
  [':method', 'method'],
  [':scheme', 'scheme'],
  [':path', 'path'],
  [':authority', 'authority'],
  ['content-type', 'content-type'],
  ['content-length', 'content-length'],
  ['grpc-timeout', 'timeout'],
  ['te', 'plumbing'],
  ['grpc-encoding', 'plumbing'],
  ['grpc-accept-encoding', 'plumbing'],
  ['accept-encoding', 'plumbing'],
  // Connection-specific fields have no place in HTTP/2: RFC 9113 §8.2.2.
  ['connection', 'malformed'],
  ['proxy-connection', 'malformed'],
  ['keep-alive', 'malformed'],
  ['transfer-encoding', 'malformed'],
  ['upgrade', 'malformed'],
])

/** A token in lower case, RFC 9113 §8.2.1. */
const namePattern = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/
/** Without NUL, CR, LF, and blanks at its ends. */
const valuePattern = /^(?![ \t])[^\0\r\n]*(?<![ \t])$/

/** Makes a field of its Latin-1 text. */
export function toHeaderField(name: string, value: string, holders: number = 0): HeaderField {
  return { name, value, bytes: name.length + value.length + 32, kind: toKind(name, value), holders }
}

function toKind(name: string, value: string): FieldKind {
  if (!valuePattern.test(value)) return 'malformed'
  if (name === 'te' && value !== 'trailers') return 'malformed'
  const kind = kinds.get(name)
  if (kind !== undefined) return kind
  if (!namePattern.test(name)) return 'malformed'
  return name.endsWith('-bin') ? 'binary' : 'metadata'
}
