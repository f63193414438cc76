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

/** What makes entries of checks. */
export type EntryOptions = {
  readonly repeatTargets: RepeatTargets
  readonly pseudonymize: Pseudonymize | undefined
  /** Whether copies are made, for which more of each record is held. */
  readonly isCopied: boolean
}

/** One check's record on its way into the log: whole, or as a repeat where the segment has a record that says the rest. */
export type Entry = Exclude<Line, Buffer> & {
  /** How many bytes it takes there, or at most when there is no segment. */
  readonly sizeIn: (segment: Segment | undefined) => number
  /** Always whole, newline included: a reader of the copy sees single lines. */
  readonly toCopy: (segment: Segment | undefined) => Buffer
}

/** The line for a segment, and the record there that it repeats. */
type Formed = { readonly segment: Segment; readonly line: Buffer; readonly repeated: FoundTarget | undefined }

const constantStart = ',"outcome":'

/** Makes the entry of a check. */
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
      // Zero byte and newline are no part of the line.
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

/** Whether it can stand there: while a repeat waited to be written, others may have come between it and what it repeats. */
function isOf(formed: Formed, segment: Segment, batch: Batch, repeatTargets: RepeatTargets): boolean {
  if (formed.segment !== segment) return false
  return formed.repeated === undefined || repeatTargets.isWithinReach(formed.repeated, batch.wholes)
}
