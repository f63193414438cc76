import type { RecordParts } from '../../base/model/record-parts.ts'
import { frameLine } from '../format/framed.ts'
import type { Hash } from '../format/merkle.ts'
import { formatPerCheckFields, isPlain, toPerCheckFields } from '../format/per-check-fields.ts'
import { type Pseudonymize, withPseudonym } from '../format/pseudonym.ts'
import { formatRecord } from '../format/record.ts'
import { formatRepeat, startRepeat, wholeStart } from '../format/repeat.ts'
import { toRecord } from '../format/to-record.ts'
import type { Batch, Line, Segment } from '../log/segment.ts'
import type { FoundTarget, RepeatTargets } from './repeat-targets.ts'

/** The dependencies of entries. */
export type EntryOptions = {
  readonly repeatTargets: RepeatTargets
  readonly pseudonymize: Pseudonymize | undefined
  /** True if copies are written; then more of each record is held. */
  readonly isCopied: boolean
}

/**
 * One check's record on its way into the log: in full, or as a repeat if the segment has a record with the same decision.
 */
export type Entry = Exclude<Line, Buffer> & {
  /** Its size in bytes in that segment; without a segment the maximum. */
  readonly sizeIn: (segment: Segment | undefined) => number
  /** Always the full record, newline included, because a reader of the copy sees single lines. */
  readonly toCopy: (segment: Segment | undefined) => Buffer
}

/** The line for a segment, and the record that it repeats. */
type Formed = { readonly segment: Segment; readonly line: Buffer; readonly repeated: FoundTarget | undefined }

const constantStart = ',"outcome":'

/** Creates the entry of a check. */
export function createEntry(
  parts: RecordParts,
  { repeatTargets, pseudonymize, isCopied }: EntryOptions,
): Entry {
  const { decisionId } = parts
  let text: string | undefined
  let formed: Formed | undefined
  const toWhole = (): string => {
    if (text === undefined) {
      const record = toRecord(parts)
      text = formatRecord(pseudonymize === undefined ? record : withPseudonym(record, pseudonymize))
    }
    return text
  }
  const find = (segment: Segment, ahead: number) =>
    isPlain(decisionId) ? repeatTargets.find(segment, parts, ahead) : undefined
  const toBytes = (segment: Segment, batch: Batch): Buffer => {
    if (formed === undefined || !isOf(formed, segment, batch, repeatTargets)) {
      const repeated = find(segment, batch.wholes)
      const line = repeated && formatRepeat(repeated.repeatStart, toPerCheckFields(parts))
      formed = { segment, line: frameLine(line ?? toWhole()), repeated }
    }
    if (formed.repeated === undefined) batch.wholes++
    return formed.line
  }
  return {
    toBytes,
    sizeIn: (segment) =>
      (segment === undefined ? frameLine(toWhole()) : toBytes(segment, { wholes: 0 })).length,
    onKept(segment: Segment, leaf: Hash) {
      if (formed === undefined || formed.repeated !== undefined) return
      const constant = isCopied ? toWhole().slice(toWhole().indexOf(constantStart)) : undefined
      // The zero byte and the newline are not part of the line.
      const bytes = formed.line.length - 2
      repeatTargets.add(
        segment,
        parts,
        bytes,
        isPlain(decisionId) ? { repeatStart: startRepeat(decisionId, leaf), constant } : undefined,
      )
    },
    toCopy(segment) {
      const found = segment && find(segment, 0)
      if (found?.constant === undefined) return Buffer.from(toWhole())
      const start = wholeStart.slice(0, wholeStart.indexOf('"decisionId"'))
      return Buffer.from(`${start}${formatPerCheckFields(toPerCheckFields(parts))}${found.constant}`)
    },
  }
}

/**
 * True if the line is still valid there. While a repeat waits to be written, other lines may move its record out of
 * reach.
 */
function isOf(formed: Formed, segment: Segment, batch: Batch, repeatTargets: RepeatTargets): boolean {
  if (formed.segment !== segment) return false
  return formed.repeated === undefined || repeatTargets.isWithinReach(formed.repeated, batch.wholes)
}
