import type { CheckInput, Headers } from '../model/check-input.ts'
import { type Deny, deny, isDeny } from '../model/decision.ts'
import { isInvalid } from '../model/invalid.ts'
import type { CallContext } from './transport.ts'
import { parseMessage, parseUtf8, toLossyText, type WireMessage, type WireValue } from './wire.ts'

/** What Envoy sends stays far below: its headers are 60 KiB by default. */
const maxRequestBytes = 128 * 1024
const maxHeaders = 512

/** Headers that prove somebody's identity: bytes that are not text are refused here, whatever their parser would make of them. */
const provingHeaders: ReadonlySet<string> = new Set(['authorization', 'x-forwarded-client-cert'])

/**
 * Decodes an `envoy.service.auth.v3.CheckRequest` (proto/). Stricter than protobuf, so that no two readers can see two
 * requests in it: a field that is not repeated comes once, map keys are unique, text is UTF-8. Never throws.
 */
export function decodeCheckRequest(
  bytes: Uint8Array,
  call: Pick<CallContext, 'metadata' | 'tlsPeerUris'>,
): CheckInput | Deny {
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
  const http = decodeHttp(attributes)
  if (isDeny(http)) return http
  const { metadata, tlsPeerUris } = call
  return { sourcePrincipal, destinationAddress, ...http, metadata, tlsPeerUris }
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
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

function portOf(socketAddress: WireMessage): number | undefined | Deny {
  const port = singleOf(socketAddress, 3, 'destination port')
  if (port === undefined) return undefined
  const isPort = 'value' in port && typeof port.value === 'number' && port.value > 0 && port.value <= 65_535
  return isPort ? port.value : malformed('destination port: expected a number from 1 to 65535')
}

function decodeHttp(
  attributes: WireMessage,
): Pick<CheckInput, 'method' | 'path' | 'host' | 'headers'> | Deny {
  const request = messageOf(attributes, 4, 'request')
  if (isDeny(request)) return request
  if (!request.has(2))
    return malformed('expected an HTTP request, found a connection without one, as for plain TCP')
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

/** Envoy lower-cases names. A name in upper case did not pass through Envoy, and folding it could hide a duplicate. */
function nameOf(header: WireMessage): string | Deny {
  const name = textOf(header, 1, 'header name')
  if (typeof name !== 'string') return name
  if (name === '' || /[A-Z]/.test(name)) return malformed('header name: expected lower case')
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
