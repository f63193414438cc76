import { traceIdOf } from '../../base/http/trace-context.ts'
import type { Headers } from '../../base/model/check-input.ts'

/** What a check says of it. */
type Told = {
  readonly decisionId: string
  readonly timeMs: number
  readonly durationMicros: number
  readonly input?: { readonly headers: Headers } | undefined
}

/** What no two checks have in common, however alike they are: the part of a record that a repeat says anew. */
export type PerCheckFields = {
  readonly decisionId: string
  /** ISO 8601, UTC. */
  readonly time: string
  readonly durationMicros: number
  readonly traceId?: string | undefined
}

/** The perCheck part of one check's record. */
export function toPerCheckFields({ decisionId, timeMs, durationMicros, input }: Told): PerCheckFields {
  return { decisionId, time: toTime(timeMs), durationMicros, traceId: input && traceIdOf(input.headers) }
}

/** Whether an id stands in JSON as it is. */
export function isPlain(id: string): boolean {
  return /^[\w.:-]{1,128}$/.test(id)
}

/** The members as JSON, without braces. INVARIANT: the id is plain, and a time and a trace id cannot but be. */
export function formatPerCheckFields({ decisionId, time, durationMicros, traceId }: PerCheckFields): string {
  const members = `"decisionId":"${decisionId}","time":"${time}","durationMicros":${durationMicros}`
  return traceId === undefined ? members : `${members},"traceId":"${traceId}"`
}

let last = { timeMs: Number.NaN, time: '' }

/** Under load many checks end in one millisecond, and to write it costs more than all else in a repeat. */
function toTime(timeMs: number): string {
  if (last.timeMs !== timeMs) last = { timeMs, time: new Date(timeMs).toISOString() }
  return last.time
}
