import { SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api'
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer'
import { type Resource, resourceFromAttributes } from '@opentelemetry/resources'
import type { Span, SpanContext } from './span.ts'
import { spanAttributesVersion } from './span-attributes.ts'

type OtlpSpan = Parameters<typeof ProtobufTraceSerializer.serializeRequest>[0][number]

/** Creates the encoder of one process, from spans to the bytes of an OTLP ExportTraceServiceRequest. */
export function createSpanEncoder(
  attributes: Readonly<Record<string, string>>,
): (spans: readonly Span[]) => Uint8Array {
  const resource = resourceFromAttributes(attributes)
  return (spans) => {
    const bytes = ProtobufTraceSerializer.serializeRequest(spans.map((span) => toOtlp(span, resource)))
    if (bytes === undefined) throw new TypeError('spans could not be encoded')
    return bytes
  }
}

/** Returns how many spans the endpoint rejected; throws if its answer is not OTLP. */
export function readRejectedSpans(answer: Uint8Array): number {
  const { partialSuccess } = ProtobufTraceSerializer.deserializeResponse(answer)
  return Number(partialSuccess?.rejectedSpans ?? 0)
}

const scope = { name: 'waywarden', version: spanAttributesVersion }

function toOtlp(span: Span, resource: Resource): OtlpSpan {
  const { parent, error } = span
  const [startTime, endTime] = [toTime(span.startedMs), toTime(span.endedMs)]
  return {
    name: span.name,
    kind: span.kind === 'server' ? SpanKind.SERVER : SpanKind.INTERNAL,
    spanContext: () => ({ ...toContext(span), ...toState(span.traceState) }),
    ...(parent === undefined
      ? {}
      : { parentSpanContext: { ...toContext({ ...span, ...parent }), isRemote: parent.isRemote } }),
    startTime,
    endTime,
    duration: toTime(Math.max(0, span.endedMs - span.startedMs)),
    ended: true,
    status:
      error === undefined ? { code: SpanStatusCode.UNSET } : { code: SpanStatusCode.ERROR, message: error },
    attributes: toAttributes(span),
    links: span.links.map((link) => ({ context: toContext(link) })),
    events: [],
    resource,
    instrumentationScope: scope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  }
}

function toContext({ traceId, spanId }: SpanContext) {
  return { traceId, spanId, traceFlags: TraceFlags.SAMPLED }
}

/** Passed on unchanged; only its sender reads it. */
function toState(traceState: string | undefined): Pick<ReturnType<OtlpSpan['spanContext']>, 'traceState'> {
  if (traceState === undefined) return {}
  const state = { set: () => state, unset: () => state, get: () => undefined, serialize: () => traceState }
  return { traceState: state }
}

function toAttributes({ attributes }: Span): OtlpSpan['attributes'] {
  const entries = Object.entries(attributes).map(
    ([name, value]) => [name, typeof value === 'object' ? [...value] : value] as const,
  )
  return Object.fromEntries(entries)
}

/** Seconds and nanoseconds. */
function toTime(ms: number): [number, number] {
  const seconds = Math.floor(ms / 1000)
  return [seconds, Math.floor((ms - seconds * 1000) * 1e6)]
}
