import { isOddName } from '../../base/http/header-name.ts'
import type { Headers } from '../../base/model/check-input.ts'
import { type Invalid, invalid } from '../../base/model/invalid.ts'
import { bytesType, type Fields, fieldsOf, isText, nextField, toText } from './wire.ts'

/** `headers` of a CheckRequest, where names are unique, or `header_map`, where a name may repeat. */
export type HeadersKind = 'headers' | 'header_map'

/** The byte range of a header in its request. */
type Header = {
  readonly kind: 'header'
  readonly nameStart: number
  readonly nameStop: number
  readonly valueStart: number
  readonly valueStop: number
  readonly nameHash: number
}

/** Facts about all names so far, and the hash of the last one. */
type Names = { hasOddName: boolean; hash: number }

/** Headers that prove an identity. Bytes that are not text are refused here, independent of their parser. */
const provingHeaders = ['authorization', 'x-forwarded-client-cert']

/** Random, so that nobody can choose names with equal hashes to slow down the search for duplicates. */
const hashSeed = Math.floor(Math.random() * 2 ** 32)
const hashPrime = 16_777_619

/**
 * Checks every header in place and creates strings only for those that are read: a request has dozens, and a decision
 * reads three. `entries` has the start and the end of each. Returns the fault of the first bad one.
 */
export function readHeaders(bytes: Buffer, entries: readonly number[], kind: HeadersKind): Headers | Invalid {
  const headers: Header[] = []
  const names = { hasOddName: false, hash: 0 }
  let seenHashes = 0
  for (let at = 0; at < entries.length; at += 2) {
    const header = readHeader(fieldsOf(bytes, entries[at] ?? 0, entries[at + 1] ?? 0), kind, names)
    if (header.kind === 'invalid') return header
    const bit = 1 << (header.nameHash & 31)
    const mayRepeat = kind === 'headers' && (seenHashes & bit) !== 0
    if (mayRepeat && headers.some((other) => hasSameName(bytes, other, header)))
      return invalid('expected every name once, found a repeated map key')
    seenHashes |= bit
    headers.push(header)
  }
  return new RequestHeaders(bytes, headers, names)
}

function readHeader(fields: Fields, kind: HeadersKind, names: Names): Header | Invalid {
  const { bytes } = fields
  const last = kind === 'headers' ? 2 : 3
  let seen = 0
  let [nameStart, nameStop, valueStart, valueStop, rawStart, rawStop] = [0, 0, 0, 0, 0, 0]
  while (nextField(fields)) {
    const { number, start, stop } = fields
    if (number > last) continue
    if (fields.wireType !== bytesType) return invalid(`header field ${number}: expected wire type 2`)
    if ((seen & (1 << number)) !== 0) return invalid(`header field ${number}: expected one, found several`)
    seen |= 1 << number
    if (number === 1) [nameStart, nameStop] = [start, stop]
    else if (number === 2) [valueStart, valueStop] = [start, stop]
    else [rawStart, rawStop] = [start, stop]
  }
  if (fields.fault !== undefined) return invalid(fields.fault)
  const nameProblem = readName(bytes, nameStart, nameStop, names)
  if (nameProblem !== undefined) return nameProblem
  if (!isText(bytes, valueStart, valueStop)) return invalid('header value: expected UTF-8')
  const header: Header = { kind: 'header', nameStart, nameStop, valueStart, valueStop, nameHash: names.hash }
  if (rawStart === rawStop) return header
  if (valueStart !== valueStop) return invalid('header: expected `value` or `raw_value`, found both')
  const isProof = provingHeaders.some((name) => isNamed(bytes, header, name))
  if (isProof && !isText(bytes, rawStart, rawStop))
    return invalid('a header that proves an identity: expected UTF-8')
  return { ...header, valueStart: rawStart, valueStop: rawStop }
}

/**
 * Envoy passes on lower-case tokens (RFC 9110 §5.6.2) and its own pseudo headers. Any other name did not pass through
 * Envoy, could hide a duplicate, and could not be removed by an answer.
 */
function readName(bytes: Buffer, start: number, stop: number, names: Names): Invalid | undefined {
  if (start === stop) return invalid('header name: expected one, found none')
  let hash = hashSeed
  let kinds = 0
  for (let at = start; at < stop; at++) {
    const byte = bytes[at] ?? 0
    if (byte !== colon || at > start) kinds |= nameBytes[byte] ?? otherByte
    hash = Math.imul(hash ^ byte, hashPrime)
  }
  if (kinds >= otherByte) return invalid('header name: expected a token in lower case')
  if (kinds >= oddByte) names.hasOddName = true
  names.hash = hash
  return undefined
}

const colon = 0x3a
// Classes of bytes in a header name, as bits; `isOddName` is the same test for a text.
const plainByte = 1
const oddByte = 2
const otherByte = 4
const nameBytes: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte)
  if (/[a-z0-9-]/.test(character)) return plainByte
  return /[!#$%&'*+.^_`|~]/.test(character) ? oddByte : otherByte
})

function hasSameName(bytes: Buffer, one: Header, other: Header): boolean {
  if (one.nameHash !== other.nameHash) return false
  return bytes.compare(bytes, one.nameStart, one.nameStop, other.nameStart, other.nameStop) === 0
}

function isNamed(bytes: Buffer, { nameStart, nameStop }: Header, name: string): boolean {
  if (nameStop - nameStart !== name.length) return false
  for (let at = 0; at < name.length; at++) if (bytes[nameStart + at] !== name.charCodeAt(at)) return false
  return true
}

/** The headers of one request, still encoded. INVARIANT: the bytes stay unchanged as long as headers may be read. */
class RequestHeaders implements ReadonlyMap<string, readonly string[]> {
  readonly #bytes: Buffer
  readonly #headers: readonly Header[]
  readonly #names: Names
  #whole: ReadonlyMap<string, readonly string[]> | undefined

  constructor(bytes: Buffer, headers: readonly Header[], names: Names) {
    this.#bytes = bytes
    this.#headers = headers
    this.#names = names
  }

  get(name: string): readonly string[] | undefined {
    let values: string[] | undefined
    for (const header of this.#headers) {
      if (!isNamed(this.#bytes, header, name)) continue
      const value = this.#valueOf(header)
      if (values === undefined) values = [value]
      else values.push(value)
    }
    return values
  }

  has(name: string): boolean {
    for (const header of this.#headers) if (isNamed(this.#bytes, header, name)) return true
    return false
  }

  get oddNames(): readonly string[] {
    return this.#names.hasOddName ? [...this.keys()].filter(isOddName) : []
  }

  get size(): number {
    return this.#toMap().size
  }

  entries(): MapIterator<[string, readonly string[]]> {
    return this.#toMap().entries()
  }

  keys(): MapIterator<string> {
    return this.#toMap().keys()
  }

  values(): MapIterator<readonly string[]> {
    return this.#toMap().values()
  }

  [Symbol.iterator](): MapIterator<[string, readonly string[]]> {
    return this.entries()
  }

  forEach(
    visit: (value: readonly string[], name: string, map: ReadonlyMap<string, readonly string[]>) => void,
  ): void {
    for (const [name, value] of this.#toMap()) visit(value, name, this)
  }

  #valueOf({ valueStart, valueStop }: Header): string {
    return toText(this.#bytes, valueStart, valueStop)
  }

  #toMap(): ReadonlyMap<string, readonly string[]> {
    if (this.#whole !== undefined) return this.#whole
    const whole = new Map<string, string[]>()
    for (const header of this.#headers) {
      const name = toText(this.#bytes, header.nameStart, header.nameStop)
      const values = whole.get(name)
      if (values === undefined) whole.set(name, [this.#valueOf(header)])
      else values.push(this.#valueOf(header))
    }
    this.#whole = whole
    return whole
  }
}
