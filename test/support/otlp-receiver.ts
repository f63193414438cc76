import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import protobuf from 'protobufjs'

/** A span as it came over the wire; ids in hex, times in milliseconds since the epoch. */
export type ReceivedSpan = {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string
  readonly traceState: string
  readonly name: string
  readonly kind: string
  readonly startedMs: number
  readonly endedMs: number
  readonly status: string
  readonly attributes: Readonly<Record<string, unknown>>
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[]
}

export type OtlpReceiver = AsyncDisposable & {
  readonly url: string
  readonly port: number
  readonly spans: ReceivedSpan[]
  readonly requests: { readonly path: string; readonly headers: IncomingHttpHeaders; readonly body: Buffer }[]
  readonly resources: Readonly<Record<string, unknown>>[]
}

/** An endpoint of OTLP over HTTP on loopback that keeps what it gets; `answer` may answer otherwise than with success. */
export async function startOtlpReceiver(
  answer: (response: ServerResponse) => void = accept,
  port = 0,
): Promise<OtlpReceiver> {
  const received: Pick<OtlpReceiver, 'spans' | 'requests' | 'resources'> = {
    spans: [],
    requests: [],
    resources: [],
  }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks)
      received.requests.push({ path: request.url ?? '', headers: request.headers, body })
      const decoded = decode(body)
      received.spans.push(...decoded.spans)
      received.resources.push(...decoded.resources)
      answer(response)
    })
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const bound = (server.address() as AddressInfo).port
  return {
    ...received,
    port: bound,
    url: `http://127.0.0.1:${bound}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Success, as the specification wants it: an empty ExportTraceServiceResponse. */
export function accept(response: ServerResponse): void {
  response.setHeader('content-type', 'application/x-protobuf').end()
}

/** The answer that takes some spans and throws `rejected` away. */
export function acceptPartly(response: ServerResponse, rejected: number): void {
  const type = root.lookupType('ExportTraceServiceResponse')
  const body = type.encode(type.create({ partialSuccess: { rejectedSpans: rejected } })).finish()
  response.setHeader('content-type', 'application/x-protobuf').end(body)
}

// Our own words for the part of opentelemetry-proto 1.x that is read here; the numbers are the protocol's.
const root = protobuf.parse(
  `
  syntax = "proto3";
  message ExportTraceServiceRequest { repeated ResourceSpans resource_spans = 1; }
  message ExportTraceServiceResponse { PartialSuccess partial_success = 1; }
  message PartialSuccess { int64 rejected_spans = 1; string error_message = 2; }
  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
  message Resource { repeated KeyValue attributes = 1; }
  message ScopeSpans { Scope scope = 1; repeated Span spans = 2; }
  message Scope { string name = 1; string version = 2; }
  message KeyValue { string key = 1; AnyValue value = 2; }
  message AnyValue {
    oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; ArrayValue array_value = 5; }
  }
  message ArrayValue { repeated AnyValue values = 1; }
  message Span {
    bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4; string name = 5;
    enum Kind { UNSPECIFIED = 0; INTERNAL = 1; SERVER = 2; }
    Kind kind = 6; fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8;
    repeated KeyValue attributes = 9; repeated Link links = 13; Status status = 15;
  }
  message Link { bytes trace_id = 1; bytes span_id = 2; }
  message Status { string message = 2; enum Code { UNSET = 0; OK = 1; ERROR = 2; } Code code = 3; }
`,
).root

type WireValue = {
  readonly value?: string
  readonly arrayValue?: { readonly values?: readonly WireValue[] }
} & Readonly<Record<string, unknown>>
type WireAttributes = readonly { readonly key: string; readonly value: WireValue }[]
type WireSpan = {
  readonly traceId: Buffer
  readonly spanId: Buffer
  readonly parentSpanId: Buffer
  readonly traceState: string
  readonly name: string
  readonly kind: string
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: WireAttributes
  readonly links: readonly { readonly traceId: Buffer; readonly spanId: Buffer }[]
  readonly status?: { readonly code: string }
}
type WireRequest = {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: WireAttributes }
    readonly scopeSpans: readonly { readonly spans: readonly WireSpan[] }[]
  }[]
}

function decode(body: Buffer): Pick<OtlpReceiver, 'spans' | 'resources'> {
  const type = root.lookupType('ExportTraceServiceRequest')
  const options = { longs: String, enums: String, bytes: Buffer, arrays: true, defaults: true, oneofs: true }
  const { resourceSpans } = type.toObject(type.decode(body), options) as WireRequest
  return {
    resources: resourceSpans.map(({ resource }) => toRecord(resource.attributes)),
    spans: resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans.map(toSpan))),
  }
}

function toSpan(span: WireSpan): ReceivedSpan {
  const { traceState, name, kind } = span
  return {
    ...{ traceState, name, kind, ...toIds(span), parentSpanId: span.parentSpanId.toString('hex') },
    startedMs: Number(span.startTimeUnixNano) / 1e6,
    endedMs: Number(span.endTimeUnixNano) / 1e6,
    status: span.status?.code ?? 'UNSET',
    attributes: toRecord(span.attributes),
    links: span.links.map(toIds),
  }
}

function toIds({ traceId, spanId }: { readonly traceId: Buffer; readonly spanId: Buffer }) {
  return { traceId: traceId.toString('hex'), spanId: spanId.toString('hex') }
}

function toRecord(attributes: WireAttributes): Readonly<Record<string, unknown>> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, toValue(value)]))
}

function toValue(value: WireValue): unknown {
  return value.arrayValue === undefined || value.arrayValue === null
    ? value[value.value ?? '']
    : (value.arrayValue.values ?? []).map(toValue)
}
