import { type Headers, singleHeader } from './check-input.ts'

const traceparent = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?$/

/** The trace that a request belongs to (W3C Trace Context 2.2), or `undefined` when the header is not exactly as specified. */
export function traceIdOf(headers: Headers): string | undefined {
  const header = singleHeader(headers, 'traceparent')
  if (header === undefined || header === 'repeated' || header.value.length > 256) return undefined
  const [, traceId, parentId, more] = traceparent.exec(header.value) ?? []
  if (traceId === undefined || parentId === undefined) return undefined
  // Only a later version may append fields; an id of zeros is none.
  if (more !== undefined && header.value.startsWith('00-')) return undefined
  return /^0+$/.test(traceId) || /^0+$/.test(parentId) ? undefined : traceId
}
