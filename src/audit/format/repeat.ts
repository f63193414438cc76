import * as v from 'valibot'
import { toFlatString } from '../../base/cache/flat-string.ts'
import { type Invalid, invalid } from '../../base/model/invalid.ts'
import { type Hash, toBase64 } from './merkle.ts'
import { formatPerCheckFields, type PerCheckFields } from './per-check-fields.ts'
import type { DecisionRecord } from './record.ts'

/**
 * A record that says no more than what tells it apart from an earlier one of its segment. `leaf` is the hash (base64)
 * of that record's line as a leaf of the log's tree, so that nobody can put another in its place.
 */
export type Repeat = PerCheckFields & {
  readonly version: 2
  readonly kind: 'repeat'
  /** The decision whose record was written whole. */
  readonly of: string
  readonly leaf: string
}

/** A repeat refers to one of so many records before it in its segment that are whole and may be referred to. */
export const maxRepeatTargets = 4096

/** Only a line of so many bytes may be referred to: readers hold all that a repeat may mean. */
export const maxTargetBytes = 4096

/** How a line begins that may be referred to, and how a repeat does, each up to its first id. */
export const wholeStart = '{"version":1,"kind":"decision","decisionId":"'
export const repeatStart = '{"version":2,"kind":"repeat","of":"'

/** What stands in a repeat between `of` and its own members; always as long. */
const leafMember = '","leaf":"'
const leafLength = 44
const quote = 0x22

/** What all repeats of one record begin with: its id and its leaf. */
export function startRepeat(of: string, leaf: Hash): string {
  return toFlatString(`${repeatStart}${of}${leafMember}${toBase64(leaf)}",`)
}

/** The repeat as one line of NDJSON, newline included; `start` by `startRepeat`. */
export function formatRepeat(start: string, perCheck: PerCheckFields): string {
  return `${start}${formatPerCheckFields(perCheck)}}\n`
}

/** Whether a line begins as records that stand whole do, or as repeats do. */
export function beginsWith(line: Buffer, start: typeof wholeStart | typeof repeatStart): boolean {
  // The version and the kind's first letter tell nearly all lines apart.
  const [version, kind] = [11, 21]
  const isAlike = line[version] === start.charCodeAt(version) && line[kind] === start.charCodeAt(kind)
  return isAlike && line.toString('latin1', 0, start.length) === start
}

/** Where the id ends that follows on such a beginning. */
export function firstIdEnd(line: Buffer, start: typeof wholeStart | typeof repeatStart): number {
  return line.indexOf(quote, start.length)
}

/** The leaf that a repeat names, if its `of` ends at `ofEnd`. */
export function leafAt(line: Buffer, ofEnd: number): string {
  const start = ofEnd + leafMember.length
  return line.toString('latin1', start, start + leafLength)
}

/** Where a repeat's own members begin, if its `of` ends at `ofEnd`. */
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

/** Parses one line; fields that it does not know are left out. */
export function parseRepeat(line: string): Repeat | Invalid {
  try {
    const parsed = v.safeParse(repeat, JSON.parse(line))
    if (parsed.success) return parsed.output
  } catch {
    // Not JSON: no repeat either.
  }
  return invalid('record: expected a repeat, version 2; a newer Waywarden may read it')
}

/** The whole record that a repeat stands for. INVARIANT: `whole` is the record that `leaf` names. */
export function expandRepeat(
  whole: DecisionRecord,
  { decisionId, time, durationMicros, traceId }: PerCheckFields,
): DecisionRecord {
  return { ...whole, decisionId, time, durationMicros, traceId }
}
