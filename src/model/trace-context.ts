import { type Headers, singleHeader } from './check-input.ts'

/** Where in which trace a request was sent (W3C Trace Context 3.2): ids in lower-case hex. */
export type TraceContext = {
  readonly traceId: string
  /** The span of whoever sent it. */
  readonly spanId: string
  readonly isSampled: boolean
}

const traceparent = /^(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/
const maxTraceparentLength = 256
const sampledFlag = 1

/** What `traceparent` says, or `undefined` when it is not exactly as specified. */
export function traceContextOf(headers: Headers): TraceContext | undefined {
  const header = singleHeader(headers, 'traceparent')
  if (header === undefined || header === 'repeated') return undefined
  if (header.value.length > maxTraceparentLength) return undefined
  const [, version, traceId, spanId, flags = '', more] = traceparent.exec(header.value) ?? []
  if (traceId === undefined || spanId === undefined) return undefined
  // Only a later version may append fields; an id of zeros is none.
  if (more !== undefined && version === '00') return undefined
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & sampledFlag) === sampledFlag }
}

/** The trace that a request belongs to. */
export function traceIdOf(headers: Headers): string | undefined {
  return traceContextOf(headers)?.traceId
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
