import { type Headers, singleHeader } from '../model/check-input.ts'

/** Where in which trace a request was sent (W3C Trace Context 3.2): ids in lower-case hex. */
export type TraceContext = {
  readonly traceId: string
  /** The sender's span. */
  readonly spanId: string
  readonly isSampled: boolean
}

const traceparent = /^(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/
const maxTraceparentLength = 256
const sampledFlag = 1

/** What `traceparent` says, or `undefined` if it is not exactly as specified. */
export function traceContextOf(headers: Headers): TraceContext | undefined {
  const header = singleHeader(headers, 'traceparent')
  return header === undefined || header === 'repeated' ? undefined : parseTraceparent(header.value)
}

function parseTraceparent(value: string): TraceContext | undefined {
  if (value.length > maxTraceparentLength) return undefined
  const [, version, traceId, spanId, flags = '', more] = traceparent.exec(value) ?? []
  if (traceId === undefined || spanId === undefined) return undefined
  // Only a later version may append fields; an id of zeros is none.
  if (more !== undefined && version === '00') return undefined
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & sampledFlag) === sampledFlag }
}

/**
 * The trace that a request belongs to. Several values, as proxies add them, name a trace if each of them names the same one: any
 * reader of the request takes it for that trace. Envoy may have joined them by commas.
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

/** What tracing systems passed along (§3.3): one list, also when it came in several headers. One bad member spoils it all. */
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
