import type { Headers } from '../../../base/model/check-input.ts'
import { parseGrpcTimeout } from '../../grpc-timeout.ts'
import type { HeaderField } from '../hpack/header-field.ts'

/** The head of a request: everything before its message. */
export type RequestHead = {
  readonly method: string
  readonly path: string
  readonly contentType: string
  readonly contentLength: number | undefined
  /** The client's timeout in milliseconds; `undefined` if absent or unreadable. */
  readonly timeoutMs: number | undefined
  /** The fields that it was read from. */
  readonly fields: readonly HeaderField[]
}

type Draft = { -readonly [Key in keyof RequestHead]?: RequestHead[Key] } & {
  scheme?: string
  authority?: string
  isRegular: boolean
}

/** Reads a request's fields; `undefined` if they are malformed (RFC 9113 §8.3). */
export function parseRequestHead(fields: readonly HeaderField[]): RequestHead | undefined {
  const draft: Draft = { isRegular: false }
  for (const field of fields) {
    if (!take(draft, field)) return undefined
  }
  const { method, path, scheme } = draft
  if (method === undefined || scheme === undefined || path === undefined || path === '') return undefined
  return {
    method,
    path,
    contentType: draft.contentType ?? '',
    contentLength: draft.contentLength,
    timeoutMs: draft.timeoutMs,
    fields,
  }
}

/**
 * Returns the gRPC metadata without binary values and without gRPC's own headers. It is built when a call is answered, so
 * that a call without a message costs only its fields.
 */
export function toMetadata({ fields }: RequestHead): Headers {
  const metadata = new Map<string, string[]>()
  for (const { name, value, kind } of fields) {
    if (kind !== 'metadata') continue
    const values = metadata.get(name)
    if (values === undefined) metadata.set(name, [value])
    else values.push(value)
  }
  return metadata
}

/** True if these fields are valid trailers: no pseudo header, nothing malformed. */
export function areTrailers(fields: readonly HeaderField[]): boolean {
  return fields.every(({ name, kind }) => kind !== 'malformed' && !name.startsWith(':'))
}

/** Adds one field; false if it may not occur there. */
function take(draft: Draft, { value, kind }: HeaderField): boolean {
  switch (kind) {
    case 'method':
    case 'scheme':
    case 'path':
    case 'authority':
      if (draft.isRegular || draft[kind] !== undefined) return false
      draft[kind] = value
      return true
    case 'malformed':
      return false
    case 'content-length':
      draft.isRegular = true
      return takeLength(draft, value)
    case 'content-type':
      draft.contentType = value
      break
    case 'timeout':
      draft.timeoutMs = parseGrpcTimeout(value)
      break
    case 'metadata':
    case 'plumbing':
    case 'binary':
      break
  }
  draft.isRegular = true
  return true
}

function takeLength(draft: Draft, value: string): boolean {
  const length = /^\d{1,10}$/.test(value) ? Number(value) : undefined
  if (length === undefined || (draft.contentLength ?? length) !== length) return false
  draft.contentLength = length
  return true
}
