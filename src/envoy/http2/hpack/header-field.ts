/**
 * A header field with a precomputed meaning of its name, because fields in HPACK's table recur on every call. `malformed`
 * makes the whole request malformed (RFC 9113 §8.2).
 */
export type HeaderField = {
  readonly name: string
  readonly value: string
  /** Its size in tables and lists: RFC 7541 §4.1. */
  readonly bytes: number
  readonly kind: FieldKind
  /** The number of calls that hold it; see `holdHead`. */
  holders: number
}

/** `plumbing` belongs to gRPC itself; `binary` is unread metadata. */
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
  // Connection-specific fields are forbidden in HTTP/2: RFC 9113 §8.2.2.
  ['connection', 'malformed'],
  ['proxy-connection', 'malformed'],
  ['keep-alive', 'malformed'],
  ['transfer-encoding', 'malformed'],
  ['upgrade', 'malformed'],
])

/** A lower-case token, RFC 9113 §8.2.1. */
const namePattern = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/
/** No NUL, CR or LF, and no blanks at either end. */
const valuePattern = /^(?![ \t])[^\0\r\n]*(?<![ \t])$/

/** Creates a field from Latin-1 text. */
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
