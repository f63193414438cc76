import { fileURLToPath } from 'node:url'
import protobuf from 'protobufjs'

/** Header values to encode: one value for each name as `headers` carries them, or a list as `header_map` does. */
export type HeaderFields =
  | Readonly<Record<string, string>>
  | readonly (readonly [name: string, value: string | Uint8Array])[]

/** A CheckRequest as a test writes it; what is left out is not set. */
export type CheckRequestFields = {
  readonly method?: string
  readonly path?: string
  readonly host?: string
  readonly headers?: HeaderFields
  /** `IP:port`. */
  readonly destinationAddress?: string
  readonly sourcePrincipal?: string
}

/** A CheckResponse as a test reads it. */
export type CheckResponseFields = {
  /** google.rpc code; `undefined` when the response has no status, which Envoy takes for an allow. */
  readonly status: number | undefined
  readonly kind: 'ok' | 'denied' | undefined
  /** The HTTP status that the client gets when denied. */
  readonly httpStatus: number | undefined
  /** Request headers to overwrite when allowed. */
  readonly setHeaders: Readonly<Record<string, string>>
  readonly removeHeaders: readonly string[]
  /** Response headers for the client, allowed or denied. */
  readonly clientHeaders: Readonly<Record<string, string>>
  /** The denial's problem+json. */
  readonly body: Readonly<Record<string, string | number>> | undefined
  /** Strings of the dynamic metadata. */
  readonly metadata: Readonly<Record<string, string>>
}

const protoDirectory = fileURLToPath(new URL('../../proto/', import.meta.url))
const root = new protobuf.Root()
root.resolvePath = (_origin, target) => `${protoDirectory}${target}`
root.loadSync('envoy/service/auth/v3/external_auth.proto', { keepCase: true })

/** The request's protobufjs type, read from proto/. */
export const checkRequestType: protobuf.Type = root.lookupType('envoy.service.auth.v3.CheckRequest')

/** The response's protobufjs type, read from proto/. */
export const checkResponseType: protobuf.Type = root.lookupType('envoy.service.auth.v3.CheckResponse')

/** Encodes a CheckRequest with protobufjs, independently of our own decoder. */
export function encodeCheckRequest(fields: CheckRequestFields): Buffer {
  const { method, path, host, headers = {}, destinationAddress, sourcePrincipal } = fields
  const carried = isHeaderList(headers)
    ? { header_map: { headers: headers.map(([key, value]) => ({ key, raw_value: Buffer.from(value) })) } }
    : { headers }
  return encodeRawCheckRequest({
    attributes: {
      source: { principal: sourcePrincipal },
      destination: { address: toAddress(destinationAddress) },
      request: { http: { method, path, host, ...carried } },
    },
  })
}

/** Encodes a CheckRequest from an object in the shape of the proto file, for the cases that the fields above cannot say. */
export function encodeRawCheckRequest(message: Readonly<Record<string, unknown>>): Buffer {
  return Buffer.from(checkRequestType.encode(checkRequestType.fromObject(message)).finish())
}

/** Decodes a CheckResponse with protobufjs, independently of our own encoder. */
export function decodeCheckResponse(bytes: Uint8Array): CheckResponseFields {
  // The shape is the proto file's; protobufjs has checked it.
  const message = checkResponseType.toObject(checkResponseType.decode(bytes), {
    bytes: String,
  }) as CheckResponseMessage
  const { status, ok_response: ok, denied_response: denied } = message
  const strings = Object.entries(message.dynamic_metadata?.fields ?? {})
  return {
    status: status === undefined ? undefined : (status.code ?? 0),
    kind: ok !== undefined ? 'ok' : denied !== undefined ? 'denied' : undefined,
    httpStatus: denied?.status?.code,
    setHeaders: toRecord(ok?.headers),
    removeHeaders: ok?.headers_to_remove ?? [],
    clientHeaders: toRecord(ok?.response_headers_to_add ?? denied?.headers),
    body: denied?.body === undefined ? undefined : JSON.parse(denied.body),
    metadata: Object.fromEntries(strings.map(([key, value]) => [key, value.stringValue ?? ''])),
  }
}

type HeaderOption = { readonly header: { readonly key: string; readonly value?: string } }

type CheckResponseMessage = {
  readonly status?: { readonly code?: number }
  readonly ok_response?: {
    readonly headers?: readonly HeaderOption[]
    readonly headers_to_remove?: readonly string[]
    readonly response_headers_to_add?: readonly HeaderOption[]
  }
  readonly denied_response?: {
    readonly status?: { readonly code?: number }
    readonly headers?: readonly HeaderOption[]
    readonly body?: string
  }
  readonly dynamic_metadata?: {
    readonly fields?: Readonly<Record<string, { readonly stringValue?: string }>>
  }
}

function isHeaderList(
  headers: HeaderFields,
): headers is readonly (readonly [name: string, value: string | Uint8Array])[] {
  return Array.isArray(headers)
}

function toAddress(text: string | undefined) {
  if (text === undefined) return undefined
  const colon = text.lastIndexOf(':')
  const address = text.slice(0, colon).replace(/^\[|\]$/g, '')
  return { socket_address: { address, port_value: Number(text.slice(colon + 1)) } }
}

function toRecord(options: readonly HeaderOption[] | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries((options ?? []).map(({ header }) => [header.key, header.value ?? '']))
}
