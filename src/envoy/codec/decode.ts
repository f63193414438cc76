import { remember } from '../../base/cache/remember.ts'
import { formatAddress } from '../../base/http/address.ts'
import type { CheckInput, Headers } from '../../base/model/check-input.ts'
import { type Deny, deny, isDeny } from '../../base/model/decision.ts'
import { isInvalid } from '../../base/model/invalid.ts'
import type { CallContext } from '../transport.ts'
import { readHeaders } from './request-headers.ts'
import { bytesType, type Fields, fieldsOf, isText, nextField, toText, varintType } from './wire.ts'

/** Envoy's requests are far smaller: it limits headers to 60 KiB by default. */
const maxRequestBytes = 128 * 1024
const maxHeaders = 512

/** A field that may occur once: its number, and its name in refusals. */
type Single = readonly [number: number, what: string]

// Field numbers of proto/. Messages that contain one of these fields are walked completely; other messages are skipped.
const inRequest: readonly Single[] = [[1, 'attributes']]
const inAttributes: readonly Single[] = [
  [1, 'source'],
  [2, 'destination'],
  [4, 'request'],
]
const inSource: readonly Single[] = [[4, 'source.principal']]
const inDestination: readonly Single[] = [[1, 'destination.address']]
const inAddress: readonly Single[] = [[1, 'destination.address.socket_address']]
const inSocketAddress: readonly Single[] = [[2, 'destination address']]
const portField = 3
const inRequestOfAttributes: readonly Single[] = [[2, 'http']]
const inHttp: readonly Single[] = [
  [2, 'method'],
  [4, 'path'],
  [5, 'host'],
  [13, 'header_map'],
]
const headersField = 3
const headerMapField = 1

/** The state of decoding a request. After a fault all further results are ignored. */
type Reading = { readonly bytes: Buffer; fault: string | undefined }

/** The byte range of a field. */
type Span = { readonly start: number; readonly stop: number }

/** A missing field reads as empty, as in protobuf. */
const absent: Span = { start: 0, stop: 0 }

/**
 * Decodes an `envoy.service.auth.v3.CheckRequest` (proto/). It is stricter than protobuf, so that no two readers can see
 * different requests: singular fields occur once, map keys are unique, text is UTF-8. Never throws. Headers stay encoded
 * until they are read.
 */
export function decodeCheckRequest(
  request: Uint8Array,
  call: Pick<CallContext, 'metadata' | 'tlsPeerUris'>,
): CheckInput | Deny {
  if (request.length > maxRequestBytes) {
    return deny(
      'request_too_large',
      `check request: expected at most ${maxRequestBytes} bytes, found ${request.length}`,
    )
  }
  const bytes = Buffer.from(request.buffer, request.byteOffset, request.length)
  const reading: Reading = { bytes, fault: undefined }
  const whole = { start: 0, stop: bytes.length }
  const [attributes = absent] = readSingles(reading, whole, 'check request', inRequest)
  const [source = absent, destination = absent, requested] = readSingles(
    reading,
    attributes,
    'attributes',
    inAttributes,
  )
  const [principal = absent] = readSingles(reading, source, 'source', inSource)
  const sourcePrincipal = readText(reading, principal, 'source.principal')
  const destinationAddress = readDestination(reading, destination)
  const asked =
    requested === undefined ? readConnection(reading, destinationAddress) : readRequest(reading, requested)
  if (reading.fault !== undefined) return deny('request_malformed', reading.fault)
  if (isDeny(asked)) return asked
  const { metadata, tlsPeerUris } = call
  const { method, path, host, headers } = asked
  return { sourcePrincipal, destinationAddress, method, path, host, headers, metadata, tlsPeerUris }
}

type AskedFor = Pick<CheckInput, 'method' | 'path' | 'host' | 'headers'>

/** Envoy's network filter sends no `request`, and of a connection without HTTP only the destination. */
function readConnection(reading: Reading, destinationAddress: string): AskedFor {
  if (destinationAddress === '')
    fail(reading, 'expected an HTTP request, or a connection with a destination address')
  return connection
}

const connection: AskedFor = { method: '', path: '', host: '', headers: new Map() }

/** A `request` without `http` is refused, never taken for a connection. */
function readRequest(reading: Reading, requested: Span): AskedFor | Deny {
  const [http] = readSingles(reading, requested, 'request', inRequestOfAttributes)
  if (http === undefined) fail(reading, 'request: expected an HTTP request, found another')
  return readHttp(reading, http ?? absent)
}

/** Returns the canonical `IP:port`; the empty string if the destination is not a socket address. */
function readDestination(reading: Reading, destination: Span): string {
  const [address = absent] = readSingles(reading, destination, 'destination', inDestination)
  const [socketAddress = absent] = readSingles(reading, address, 'destination.address', inAddress)
  let port = 0
  const readPort = ({ number, wireType, value }: Fields): void => {
    if (number !== portField) return
    const isPort = wireType === varintType && value > 0 && value <= 65_535
    if (!isPort) fail(reading, 'destination port: expected a number from 1 to 65535')
    if (port !== 0) fail(reading, 'destination port: expected one, found several')
    port = value
  }
  const [hostSpan = absent] = readSingles(reading, socketAddress, 'socket_address', inSocketAddress, readPort)
  const host = readText(reading, hostSpan, 'destination address')
  if (host === '' || port === 0) return ''
  return host.includes(':') && host.length <= maxIp6Length
    ? formatIp6({ host, port }).text
    : formatAddress(host, port)
}

const maxIp6Length = 45

/** Parsing IPv6 takes a tenth of a warm check, and a mesh has few addresses. */
const formatIp6 = remember(
  ({ host, port }: { readonly host: string; readonly port: number }) => ({ text: formatAddress(host, port) }),
  { maxEntries: 2000, keyOf: ({ host, port }) => `${host} ${port}`, isWorth: () => true },
)

function readHttp(reading: Reading, http: Span): AskedFor | Deny {
  const joined: number[] = []
  const [method = absent, path = absent, host = absent, headerMap = absent] = readSingles(
    reading,
    http,
    'http',
    inHttp,
    (fields) => collect(reading, fields, headersField, joined),
  )
  if (method.start === method.stop || path.start === path.stop)
    fail(reading, 'expected a method and a path, found none')
  const raw: number[] = []
  readSingles(reading, headerMap, 'header_map', [], (fields) => collect(reading, fields, headerMapField, raw))
  const count = (joined.length + raw.length) / 2
  if (count > maxHeaders && reading.fault === undefined)
    return deny('request_too_large', `headers: expected at most ${maxHeaders}, found ${count}`)
  return {
    method: readText(reading, method, 'method'),
    path: readText(reading, path, 'path'),
    host: readText(reading, host, 'host'),
    headers: toHeaders(reading, joined, raw),
  }
}

/** Envoy fills `headers`, or with `encode_raw_headers` `header_map`. With both, two readers could see two requests. */
function toHeaders(reading: Reading, joined: readonly number[], raw: readonly number[]): Headers {
  if (joined.length > 0 && raw.length > 0) fail(reading, 'expected `headers` or `header_map`, found both')
  if (reading.fault !== undefined) return new Map()
  const headers =
    raw.length > 0
      ? readHeaders(reading.bytes, raw, 'header_map')
      : readHeaders(reading.bytes, joined, 'headers')
  if (!isInvalid(headers)) return headers
  fail(reading, `headers: ${headers.reason}`)
  return new Map()
}

/** Returns the ranges of a repeated message's entries, as alternating starts and stops. */
function collect(reading: Reading, fields: Fields, number: number, entries: number[]): void {
  if (fields.number !== number) return
  if (fields.wireType !== bytesType) fail(reading, 'headers: expected wire type 2')
  entries.push(fields.start, fields.stop)
}

/** Walks a message and returns the ranges of its singular fields, in order; `undefined` for a missing one. */
function readSingles(
  reading: Reading,
  { start, stop }: Span,
  what: string,
  singles: readonly Single[],
  onOther?: (fields: Fields) => void,
): readonly (Span | undefined)[] {
  const found: (Span | undefined)[] = []
  const fields = fieldsOf(reading.bytes, start, stop)
  while (nextField(fields)) {
    const place = placeOf(fields.number, singles)
    if (place === -1) onOther?.(fields)
    else if (fields.wireType !== bytesType) fail(reading, `${nameOf(place, singles)}: expected wire type 2`)
    else if (found[place] !== undefined)
      fail(reading, `${nameOf(place, singles)}: expected one, found several`)
    else found[place] = { start: fields.start, stop: fields.stop }
  }
  if (fields.fault !== undefined) fail(reading, `${what}: ${fields.fault}`)
  return found
}

function placeOf(number: number, singles: readonly Single[]): number {
  for (let place = 0; place < singles.length; place++) if (singles[place]?.[0] === number) return place
  return -1
}

function nameOf(place: number, singles: readonly Single[]): string {
  return singles[place]?.[1] ?? ''
}

function readText(reading: Reading, { start, stop }: Span, what: string): string {
  if (isText(reading.bytes, start, stop)) return toText(reading.bytes, start, stop)
  fail(reading, `${what}: expected UTF-8`)
  return ''
}

/** Keeps the first fault. */
function fail(reading: Reading, fault: string): void {
  reading.fault ??= fault
}
