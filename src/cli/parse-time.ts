import { parseDurationMs } from '../base/model/duration.ts'
import { type Invalid, invalid, isInvalid } from '../base/model/invalid.ts'

/** Parses a time option: a duration before now (`7d`), or a time; returns milliseconds since the epoch. */
export function parseTimeMs(option: string, text: string, nowMs: number): number | Invalid {
  const agoMs = parseDurationMs(text)
  if (!isInvalid(agoMs)) return nowMs - agoMs
  const timeMs = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(timeMs)
    ? invalid(
        `\`${option}\`: expected \`7d\`, \`12h\` or a time such as 2027-01-31T12:00:00Z, found \`${text}\``,
      )
    : timeMs
}
