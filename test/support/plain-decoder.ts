import { isUtf8 } from 'node:buffer'
import protobuf from 'protobufjs/minimal.js'
import type { CheckInput, Headers } from '../../src/base/model/check-input.ts'
import { type Deny, deny, isDeny } from '../../src/base/model/decision.ts'
import { type Invalid, invalid, isInvalid } from '../../src/base/model/invalid.ts'
import { toAddressByUrl } from './address-by-url.ts'

const maxRequestBytes = 128 * 1024
const maxHeaders = 512

/** Headers that prove somebody's identity: bytes that are not text are refused here, whatever their parser would make of them. */
const provingHeaders: ReadonlySet<string> = new Set(['authorization', 'x-forwarded-client-cert'])

/** The fields of a request that a decision reads. */
export type PlainInput = Pick<
  CheckInput,
  'sourcePrincipal' | 'destinationAddress' | 'method' | 'path' | 'host' | 'headers'
>

/**
 * Decodes a CheckRequest the plain way, by taking every message apart with protobufjs: a second reader, which our own
 * is held against.
 */
export function decodePlainly(bytes: Uint8Array): PlainInput | Deny {
  if (bytes.length > maxRequestBytes) {
    return deny(
      'request_too_large',
      `check request: expected at most ${maxRequestBytes} bytes, found ${bytes.length}`,
    )
  }
  const request = toMessage(bytes, 'check request')
  if (isDeny(request)) return request
  const attributes = messageOf(request, 1, 'attributes')
  if (isDeny(attributes)) return attributes
  const source = messageOf(attributes, 1, 'source')
  if (isDeny(source)) return source
  const sourcePrincipal = textOf(source, 4, 'source.principal')
  if (typeof sourcePrincipal !== 'string') return sourcePrincipal
  const destinationAddress = decodeDestination(attributes)
  if (typeof destinationAddress !== 'string') return destinationAddress
  const http = attributes.has(4) ? decodeHttp(attributes) : decodeConnection(destinationAddress)
  if (isDeny(http)) return http
  return { sourcePrincipal, destinationAddress, ...http }
}

/** `IP:port`; the empty string when the connection goes to no socket address. */
function decodeDestination(attributes: WireMessage): string | Deny {
  const destination = messageOf(attributes, 2, 'destination')
  if (isDeny(destination)) return destination
  const address = messageOf(destination, 1, 'destination.address')
  if (isDeny(address)) return address
  const socketAddress = messageOf(address, 1, 'destination.address.socket_address')
  if (isDeny(socketAddress)) return socketAddress
  const host = textOf(socketAddress, 2, 'destination address')
  if (typeof host !== 'string') return host
  const port = portOf(socketAddress)
  if (typeof port === 'object') return port
  if (host === '' || port === undefined) return ''
  return toAddressByUrl(host, port)
}

function portOf(socketAddress: WireMessage): number | undefined | Deny {
  const port = singleOf(socketAddress, 3, 'destination port')
  if (port === undefined) return undefined
  const isPort = 'value' in port && typeof port.value === 'number' && port.value > 0 && port.value <= 65_535
  return isPort ? port.value : malformed('destination port: expected a number from 1 to 65535')
}

/** The request of Envoy about a connection without HTTP. */
function decodeConnection(
  destinationAddress: string,
): Pick<PlainInput, 'method' | 'path' | 'host' | 'headers'> | Deny {
  if (destinationAddress === '') return malformed('expected a destination')
  return { method: '', path: '', host: '', headers: new Map() }
}

function decodeHttp(
  attributes: WireMessage,
): Pick<CheckInput, 'method' | 'path' | 'host' | 'headers'> | Deny {
  const request = messageOf(attributes, 4, 'request')
  if (isDeny(request)) return request
  if (!request.has(2)) return malformed('expected an HTTP request, found another')
  const http = messageOf(request, 2, 'http')
  if (isDeny(http)) return http
  const method = textOf(http, 2, 'method')
  if (typeof method !== 'string') return method
  const path = textOf(http, 4, 'path')
  if (typeof path !== 'string') return path
  if (method === '' || path === '') return malformed('expected a method and a path, found none')
  const host = textOf(http, 5, 'host')
  if (typeof host !== 'string') return host
  const headers = decodeHeaders(http)
  if (isDeny(headers)) return headers
  return { method, path, host, headers }
}

/** Envoy fills `headers`, or `header_map` with `encode_raw_headers`. Both at once would let two readers see two requests. */
function decodeHeaders(http: WireMessage): Headers | Deny {
  const joined = http.get(3) ?? []
  const headerMap = messageOf(http, 13, 'header_map')
  if (isDeny(headerMap)) return headerMap
  const raw = headerMap.get(1) ?? []
  if (joined.length > 0 && raw.length > 0) return malformed('expected `headers` or `header_map`, found both')
  if (joined.length + raw.length > maxHeaders) {
    return deny(
      'request_too_large',
      `headers: expected at most ${maxHeaders}, found ${joined.length + raw.length}`,
    )
  }
  return raw.length > 0 ? decodeHeaderMap(raw) : decodeJoinedHeaders(joined)
}

function decodeJoinedHeaders(entries: readonly WireValue[]): Headers | Deny {
  const headers = new Map<string, readonly string[]>()
  for (const entry of entries) {
    const header = toMessage(entry, 'headers')
    if (isDeny(header)) return header
    const name = nameOf(header)
    if (typeof name !== 'string') return name
    const value = textOf(header, 2, 'header value')
    if (typeof value !== 'string') return value
    if (headers.has(name)) return malformed('headers: expected every name once, found a repeated map key')
    headers.set(name, [value])
  }
  return headers
}

function decodeHeaderMap(entries: readonly WireValue[]): Headers | Deny {
  const headers = new Map<string, string[]>()
  for (const entry of entries) {
    const header = toMessage(entry, 'header_map')
    if (isDeny(header)) return header
    const name = nameOf(header)
    if (typeof name !== 'string') return name
    const value = rawValueOf(header, name)
    if (typeof value !== 'string') return value
    const values = headers.get(name)
    if (values === undefined) headers.set(name, [value])
    else values.push(value)
  }
  return headers
}

/** Bytes that are not UTF-8 become U+FFFD, which no header of ours may contain; a foreign header must not break the request. */
function rawValueOf(header: WireMessage, name: string): string | Deny {
  const value = textOf(header, 2, 'header value')
  if (typeof value !== 'string') return value
  const raw = bytesOf(header, 3, 'raw header value')
  if (raw === undefined) return value
  if (isDeny(raw)) return raw
  if (value !== '' && raw.length > 0) return malformed('header: expected `value` or `raw_value`, found both')
  if (raw.length === 0) return value
  const text = parseUtf8(raw)
  if (text === undefined && provingHeaders.has(name)) return malformed(`header \`${name}\`: expected UTF-8`)
  return text ?? toLossyText(raw)
}

/** Tokens in lower case (RFC 9110 §5.6.2) and pseudo headers: what Envoy passes on. */
function nameOf(header: WireMessage): string | Deny {
  const name = textOf(header, 1, 'header name')
  if (typeof name !== 'string') return name
  if (name === '' || !/^:?[!#$%&'*+.^_`|~0-9a-z-]*$/.test(name))
    return malformed('header name: expected a token in lower case')
  return name
}

/** The message in a field; an absent one reads as empty, as in protobuf. */
function messageOf(message: WireMessage, number: number, what: string): WireMessage | Deny {
  const bytes = bytesOf(message, number, what)
  if (bytes === undefined) return new Map()
  return isDeny(bytes) ? bytes : toMessage(bytes, what)
}

function textOf(message: WireMessage, number: number, what: string): string | Deny {
  const bytes = bytesOf(message, number, what)
  if (bytes === undefined) return ''
  if (isDeny(bytes)) return bytes
  return parseUtf8(bytes) ?? malformed(`${what}: expected UTF-8`)
}

function bytesOf(message: WireMessage, number: number, what: string): Uint8Array | undefined | Deny {
  const single = singleOf(message, number, what)
  if (single === undefined || isDeny(single)) return single
  return single.value instanceof Uint8Array ? single.value : malformed(`${what}: expected wire type 2`)
}

function singleOf(
  message: WireMessage,
  number: number,
  what: string,
): { readonly value: WireValue } | undefined | Deny {
  const values = message.get(number)
  if (values === undefined) return undefined
  return values.length === 1
    ? { value: values[0] }
    : malformed(`${what}: expected one, found ${values.length}`)
}

function toMessage(value: WireValue, what: string): WireMessage | Deny {
  if (!(value instanceof Uint8Array)) return malformed(`${what}: expected wire type 2`)
  const message = parseMessage(value)
  return isInvalid(message) ? malformed(`${what}: ${message.reason}`) : message
}

function malformed(reason: string): Deny {
  return deny('request_malformed', reason)
}

/** One value on the wire: a varint (`Infinity` when it exceeds 32 bits), bytes, or `undefined` for a fixed-width number that we never read. */
type WireValue = number | Uint8Array | undefined

/** A protobuf message, not yet typed: every value by field number, in the order received. */
type WireMessage = ReadonlyMap<number, readonly WireValue[]>

/**
 * Splits the bytes of one message into fields; fields of fields stay bytes. Groups are refused: proto3 has none, and
 * they are the one thing whose end can only be found by recursion.
 */
function parseMessage(bytes: Uint8Array): WireMessage | Invalid {
  const fields = new Map<number, WireValue[]>()
  const reader = protobuf.Reader.create(bytes)
  while (reader.pos < reader.len) {
    const field = nextField(reader)
    if (isInvalid(field)) return field
    const values = fields.get(field.number)
    if (values === undefined) fields.set(field.number, [field.value])
    else values.push(field.value)
  }
  return fields
}

/** Decodes UTF-8 strictly: `undefined` rather than a replacement character, under which different bytes would look the same. */
function parseUtf8(bytes: Uint8Array): string | undefined {
  return isUtf8(bytes) ? toLossyText(bytes) : undefined
}

/** Decodes UTF-8 with U+FFFD for what is none. */
function toLossyText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}

const varintType = 0
const fixed64Type = 1
const bytesType = 2
const fixed32Type = 5
const maxVarintBytes = 10
const maxVarint32Bytes = 5

function nextField(
  reader: protobuf.Reader,
): { readonly number: number; readonly value: WireValue } | Invalid {
  try {
    const tag = readVarint(reader)
    const number = tag >>> 3
    if (!Number.isFinite(tag) || number === 0) return invalid('expected a field number of 29 bits')
    switch (tag & 7) {
      case varintType:
        return { number, value: readVarint(reader) }
      case bytesType:
        return { number, value: reader.bytes() }
      case fixed64Type:
        reader.skip(8)
        return { number, value: undefined }
      case fixed32Type:
        reader.skip(4)
        return { number, value: undefined }
      default:
        return invalid(`field ${number}: expected wire type 0, 1, 2 or 5, found ${tag & 7}`)
    }
  } catch {
    // The reader says only by exception that a length or a varint goes on beyond the end.
    return invalid(`expected a whole field, found the end of the message at byte ${reader.len}`)
  }
}

function readVarint(reader: protobuf.Reader): number {
  const start = reader.pos
  reader.skip()
  const end = reader.pos
  const last = reader.buf[end - 1] ?? 0
  if (end - start > maxVarintBytes || (end - start === maxVarintBytes && last > 1))
    throw new RangeError('expected a varint of at most 64 bits')
  if (end - start > maxVarint32Bytes || (end - start === maxVarint32Bytes && last > 15))
    return Number.POSITIVE_INFINITY
  // `uint32` misplaces the end of a varint of six to nine bytes, so it sees only those that fit.
  reader.pos = start
  const value = reader.uint32()
  reader.pos = end
  return value
}
