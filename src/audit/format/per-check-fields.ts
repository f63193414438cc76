import { traceIdOf } from '../../base/http/trace-context.ts'
import type { Headers } from '../../base/model/check-input.ts'

/** The inputs of these fields. */
type Told = {
  readonly decisionId: string
  readonly timeMs: number
  readonly durationMicros: number
  readonly input?: { readonly headers: Headers } | undefined
}

/** The fields that differ between any two checks. A repeat writes only these. */
export type PerCheckFields = {
  readonly decisionId: string
  /** ISO 8601, UTC. */
  readonly time: string
  readonly durationMicros: number
  readonly traceId?: string | undefined
}

/** Returns these fields of one check. */
export function toPerCheckFields({ decisionId, timeMs, durationMicros, input }: Told): PerCheckFields {
  return { decisionId, time: toTime(timeMs), durationMicros, traceId: input && traceIdOf(input.headers) }
}

/** True if an id needs no escaping in JSON. */
export function isPlain(id: string): boolean {
  return /^[\w.:-]{1,128}$/.test(id)
}

/** The members as JSON without braces. INVARIANT: the id is plain; a time and a trace id always are. */
export function formatPerCheckFields({ decisionId, time, durationMicros, traceId }: PerCheckFields): string {
  const members = `"decisionId":"${decisionId}","time":"${time}","durationMicros":${durationMicros}`
  return traceId === undefined ? members : `${members},"traceId":"${traceId}"`
}

let last = { timeMs: Number.NaN, time: '' }

/** Under load many checks end in the same millisecond. Formatting the time is the most expensive part of a repeat. */
function toTime(timeMs: number): string {
  if (last.timeMs !== timeMs) last = { timeMs, time: new Date(timeMs).toISOString() }
  return last.time
}
