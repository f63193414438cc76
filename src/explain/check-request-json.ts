import * as v from 'valibot'
import { formatAddress } from '../base/http/address.ts'
import { type CheckInput, isConnection } from '../base/model/check-input.ts'
import { type Invalid, invalid } from '../base/model/invalid.ts'

/** A captured request, and further facts about the call. */
export type CapturedRequest = {
  readonly input: CheckInput
  /** The source of the caller's identity; `undefined` if the capture does not say. */
  readonly peer: 'xfcc' | 'metadata' | 'principal' | undefined
}

const text = v.optional(v.string(), '')
const header = v.looseObject({ key: text, value: text, raw_value: text, rawValue: text })
const socketAddress = v.looseObject({
  address: text,
  port_value: v.optional(v.number()),
  portValue: v.optional(v.number()),
})
const address = v.looseObject({
  socket_address: v.optional(socketAddress),
  socketAddress: v.optional(socketAddress),
})
const headerMap = v.looseObject({ headers: v.optional(v.array(header), []) })
const http = v.looseObject({
  method: v.string(),
  path: v.string(),
  host: text,
  headers: v.optional(v.record(v.string(), v.string()), {}),
  header_map: v.optional(headerMap),
  headerMap: v.optional(headerMap),
})
const attributes = v.looseObject({
  source: v.optional(v.looseObject({ principal: text }), {}),
  destination: v.optional(v.looseObject({ address: v.optional(address, {}) }), {}),
  request: v.optional(v.looseObject({ http })),
})
const connection = { method: '', path: '', host: '' }
const expected =
  'expected a CheckRequest with `attributes.request.http`, its `method` and its `path`, or with the `destination` of a connection'
const checkRequest = v.looseObject({ attributes })
const captured = v.union([
  v.looseObject({
    peer: v.optional(v.picklist(['xfcc', 'metadata', 'principal'])),
    metadata: v.optional(v.record(v.string(), v.array(v.string())), {}),
    request: checkRequest,
  }),
  v.pipe(
    checkRequest,
    v.transform((request) => ({ peer: undefined, metadata: {}, request })),
  ),
])

/**
 * Parses a CheckRequest in protobuf's JSON, with either spelling of its fields. It may be the `request` of an object that
 * also has the call's `metadata` and the listener's `peer`. It is lenient, because its input comes from people and not
 * from Envoy.
 */
export function parseCheckRequestJson(json: string): CapturedRequest | Invalid {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    return invalid('expected a CheckRequest as JSON')
  }
  const parsed = v.safeParse(captured, value)
  if (!parsed.success) return invalid(expected)
  const { peer, metadata, request } = parsed.output
  const { source, destination, request: asked } = request.attributes
  const destinationAddress = toAddress(destination.address)
  const { method, path, host } = asked?.http ?? connection
  // Without either of them it would be taken for a connection, or say nothing at all.
  if (asked === undefined ? destinationAddress === '' : isConnection(asked.http)) return invalid(expected)
  const input: CheckInput = {
    sourcePrincipal: source.principal,
    destinationAddress,
    method,
    path,
    host,
    headers: asked === undefined ? new Map() : toHeaders(asked.http),
    metadata: new Map(Object.entries(metadata)),
    tlsPeerUris: [],
  }
  return { input, peer }
}

function toAddress({ socket_address, socketAddress: camel }: v.InferOutput<typeof address>): string {
  const found = socket_address ?? camel
  const port = found?.port_value ?? found?.portValue
  if (found === undefined || port === undefined) return ''
  return formatAddress(found.address, port)
}

function toHeaders({
  headers,
  header_map,
  headerMap: camel,
}: v.InferOutput<typeof http>): CheckInput['headers'] {
  const found = new Map<string, string[]>()
  const add = (name: string, value: string) => found.set(name, [...(found.get(name) ?? []), value])
  for (const [name, value] of Object.entries(headers)) add(name, value)
  for (const { key, value, raw_value, rawValue } of (header_map ?? camel)?.headers ?? []) {
    const raw = raw_value === '' ? rawValue : raw_value
    add(key, raw === '' ? value : Buffer.from(raw, 'base64').toString())
  }
  return found
}
