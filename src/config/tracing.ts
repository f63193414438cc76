import * as v from 'valibot'
import type { SchemaNode } from '../base/document/schema.ts'
import {
  about,
  duration,
  flag,
  integer,
  list,
  matching,
  parsed,
  share,
  someOf,
} from '../base/document/values.ts'
import { type Invalid, invalid } from '../base/model/invalid.ts'
import { show } from '../base/text/show.ts'
import { filePath, headerName } from './values.ts'

/** The receiver of spans. */
export type TraceEndpoint = {
  /** Including the path for OTLP traces. */
  readonly url: string
  /** Values are secrets, so they are read from files. */
  readonly headers: readonly { readonly name: string; readonly file: string }[]
}

/** `tracing` of waywarden.yaml with its own names; durations are milliseconds. */
export type TracingSettings = {
  readonly sample: number
  readonly denials: boolean
  readonly project: string
  readonly endpoints: readonly TraceEndpoint[]
  readonly timeout: number
  readonly maxQueued: number
}

/** The traced checks, and the receivers of their spans; paths are absolute. */
export type Tracing = Omit<TracingSettings, 'timeout'> & { readonly timeoutMs: number }

const endpoint = v.strictObject({
  url: about(
    parsed(parseTracesUrl, 'http://otel-collector.monitoring:4318'),
    'base URL of an OTLP endpoint; `/v1/traces` is appended',
  ),
  headers: about(
    v.optional(
      list(
        v.strictObject({
          name: about(headerName, 'name of the header'),
          file: about(filePath(), 'file with its value; read for each request'),
        }),
      ),
      [],
    ),
    'headers for the endpoint, such as `authorization`',
  ),
})

const tracing = v.strictObject({
  sample: about(
    v.optional(share, 0.01),
    'share of the traces that begin here, from 0 to 1; a request with a trace context follows its sampling flag',
  ),
  denials: about(v.optional(flag, false), 'always trace checks that are not allowed'),
  project: about(
    v.optional(matching(/^[\w.-]{1,64}$/, 'a name of letters, digits, `_`, `.` and `-`'), 'waywarden'),
    'the name of the service in traces, and the project of Phoenix',
  ),
  endpoints: about(someOf(endpoint, 'at least one endpoint'), 'the endpoints; each gets all spans'),
  timeout: about(v.optional(duration('100ms', '1m'), '5s'), 'time limit of one request to an endpoint'),
  maxQueued: about(
    v.optional(integer(512, 1_000_000), 8192),
    'maximum number of spans that wait for one endpoint; more are dropped and counted',
  ),
})

/** `tracing` of waywarden.yaml. */
export const tracingSchema: v.GenericSchema<unknown, TracingSettings> & SchemaNode = tracing

/** Adds units to names and makes paths absolute. */
export function toTracing({ timeout, ...same }: TracingSettings, at: (path: string) => string): Tracing {
  const endpoints = same.endpoints.map(({ url, headers }) => ({
    url,
    headers: headers.map(({ name, file }) => ({ name, file: at(file) })),
  }))
  return { ...same, endpoints, timeoutMs: timeout }
}

const tracesPath = '/v1/traces'

/** The base URL is configured, and the path of OTLP/HTTP is appended. */
function parseTracesUrl(input: string): string | Invalid {
  const isBase = /^https?:\/\/[^\s?#@\\]+$/.test(input) && URL.canParse(input)
  // It may contain a password or a key, so it is not shown.
  if (!isBase)
    return invalid(
      'expected an http or https URL without query, fragment or user, such as `http://collector:4318`',
    )
  const base = input.replace(/\/+$/, '')
  return base.endsWith(tracesPath)
    ? invalid(
        `expected the base URL, to which \`${tracesPath}\` is appended, found it at the end of ${show(input)}`,
      )
    : `${base}${tracesPath}`
}
