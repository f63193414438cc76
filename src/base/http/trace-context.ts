import { type Headers, singleHeader } from '../model/check-input.ts'

/** The trace and span of a sender (W3C Trace Context 3.2): ids in lower-case hex. */
export type TraceContext = {
  readonly traceId: string
  /** The sender's span. */
  readonly spanId: string
  readonly isSampled: boolean
}

const traceparent = /^(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/
const maxTraceparentLength = 256
const sampledFlag = 1

/** Parses `traceparent`; `undefined` if it deviates from the specification. */
export function traceContextOf(headers: Headers): TraceContext | undefined {
  const header = singleHeader(headers, 'traceparent')
  return header === undefined || header === 'repeated' ? undefined : parseTraceparent(header.value)
}

function parseTraceparent(value: string): TraceContext | undefined {
  if (value.length > maxTraceparentLength) return undefined
  const [, version, traceId, spanId, flags = '', more] = traceparent.exec(value) ?? []
  if (traceId === undefined || spanId === undefined) return undefined
  // Only a later version may append fields. An id of zeros is invalid.
  if (more !== undefined && version === '00') return undefined
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & sampledFlag) === sampledFlag }
}

/**
 * Returns the trace of a request. Proxies may add values; they count if all name the same trace, because then every
 * reader sees that trace. Envoy may have joined them with commas.
 */
export function traceIdOf(headers: Headers): string | undefined {
  const [only, ...more] = headers.get('traceparent') ?? []
  if (only === undefined) return undefined
  if (more.length === 0 && !only.includes(',')) return parseTraceparent(only)?.traceId
  const texts = [only, ...more].flatMap((value) => value.split(','))
  const ids = new Set(texts.map((text) => parseTraceparent(text.trim())?.traceId))
  const [id] = ids
  return ids.size === 1 ? id : undefined
}

const maxTraceStateLength = 512
const maxTraceStateMembers = 32
const traceStateMember =
  /^([a-z0-9][a-z0-9_*/@-]{0,255})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/

/**
 * Returns `tracestate` (§3.3) as one list, even if it came in several headers. One invalid member invalidates the list.
 */
export function traceStateOf(headers: Headers): string | undefined {
  const text = (headers.get('tracestate') ?? []).join(',')
  if (text.length > maxTraceStateLength) return undefined
  const members = text
    .split(',')
    .map((member) => member.replace(/^[ \t]+|[ \t]+$/g, ''))
    .filter((member) => member !== '')
  const keys = members.map((member) => traceStateMember.exec(member)?.[1])
  const isOrderly = !keys.includes(undefined) && new Set(keys).size === keys.length
  return isOrderly && members.length > 0 && members.length <= maxTraceStateMembers
    ? members.join(',')
    : undefined
}
