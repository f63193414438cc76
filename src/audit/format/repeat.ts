import * as v from 'valibot'
import { toFlatString } from '../../base/cache/flat-string.ts'
import { type Invalid, invalid } from '../../base/model/invalid.ts'
import { type Hash, toBase64 } from './merkle.ts'
import { formatPerCheckFields, type PerCheckFields } from './per-check-fields.ts'
import type { DecisionRecord } from './record.ts'

/**
 * A record that contains only its differences from an earlier record of its segment. `leaf` is the leaf hash (base64) of
 * that record's line, so that no other record can replace it.
 */
export type Repeat = PerCheckFields & {
  readonly version: 2
  readonly kind: 'repeat'
  /** The decision whose record was written in full. */
  readonly of: string
  readonly leaf: string
}

/**
 * The reach of a repeat: it refers to one of the last 4096 records of its segment that were written in full and are short
 * enough.
 */
export const maxRepeatTargets = 4096

/** The maximum length of a line that can be repeated, because readers hold all lines within reach. */
export const maxTargetBytes = 4096

/** The start of a repeatable line, and of a repeat, each up to its first id. */
export const wholeStart = '{"version":1,"kind":"decision","decisionId":"'
export const repeatStart = '{"version":2,"kind":"repeat","of":"'

/** The text of a repeat between `of` and its own members. Its length is constant. */
const leafMember = '","leaf":"'
const leafLength = 44
const quote = 0x22

/** Returns the common start of all repeats of one record: its id and its leaf. */
export function startRepeat(of: string, leaf: Hash): string {
  return toFlatString(`${repeatStart}${of}${leafMember}${toBase64(leaf)}",`)
}

/** Returns the repeat as one line of NDJSON, newline included. `start` comes from `startRepeat`. */
export function formatRepeat(start: string, perCheck: PerCheckFields): string {
  return `${start}${formatPerCheckFields(perCheck)}}\n`
}

/** True if a line starts like a full record, or like a repeat. */
export function beginsWith(line: Buffer, start: typeof wholeStart | typeof repeatStart): boolean {
  // The version and the first letter of the kind distinguish nearly all lines.
  const [version, kind] = [11, 21]
  const isAlike = line[version] === start.charCodeAt(version) && line[kind] === start.charCodeAt(kind)
  return isAlike && line.toString('latin1', 0, start.length) === start
}

/** Returns the end of the first id after this start. */
export function firstIdEnd(line: Buffer, start: typeof wholeStart | typeof repeatStart): number {
  return line.indexOf(quote, start.length)
}

/** Returns the leaf of a repeat whose `of` ends at `ofEnd`. */
export function leafAt(line: Buffer, ofEnd: number): string {
  const start = ofEnd + leafMember.length
  return line.toString('latin1', start, start + leafLength)
}

/** Returns the offset of a repeat's own members, if its `of` ends at `ofEnd`. */
export function ownStart(ofEnd: number): number {
  return ofEnd + leafMember.length + leafLength + '",'.length
}

const repeat: v.GenericSchema<unknown, Repeat> = v.object({
  version: v.literal(2),
  kind: v.literal('repeat'),
  of: v.string(),
  leaf: v.string(),
  decisionId: v.string(),
  time: v.pipe(v.string(), v.isoTimestamp()),
  durationMicros: v.number(),
  traceId: v.optional(v.string()),
})

/** Parses one line; unknown fields are dropped. */
export function parseRepeat(line: string): Repeat | Invalid {
  try {
    const parsed = v.safeParse(repeat, JSON.parse(line))
    if (parsed.success) return parsed.output
  } catch {
    // Not JSON, so not a repeat.
  }
  return invalid('record: expected a repeat, version 2; a newer Waywarden may read it')
}

/** Returns the full record of a repeat. INVARIANT: `whole` is the record that `leaf` names. */
export function expandRepeat(
  whole: DecisionRecord,
  { decisionId, time, durationMicros, traceId }: PerCheckFields,
): DecisionRecord {
  return { ...whole, decisionId, time, durationMicros, traceId }
}
