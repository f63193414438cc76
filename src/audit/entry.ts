import { frameLine } from './framed.ts'
import type { Hash } from './merkle.ts'
import { type Pseudonymize, withPseudonym } from './pseudonym.ts'
import { formatRecord } from './record.ts'
import { type RecordParts, toRecord } from './record-parts.ts'
import type { Referables } from './referable.ts'
import { formatRepeat, startRepeat, wholeStart } from './repeat.ts'
import type { Line, Segment } from './segment.ts'
import { formatVarying, isPlain, toVarying } from './varying.ts'

/** What makes entries of checks. */
export type EntryOptions = {
  readonly referables: Referables
  readonly pseudonymize: Pseudonymize | undefined
  /** Whether copies are made, for which more of each record is held. */
  readonly isCopied: boolean
}

/** One check's record on its way into the log: whole, or as a repeat where the segment has a record that says the rest. */
export type Entry = Exclude<Line, Buffer> & {
  /** How many bytes it takes there, or at most when there is no segment. */
  readonly sizeIn: (segment: Segment | undefined) => number
  /** Whole in any case, newline included: whoever reads the copy sees single lines. */
  readonly toCopy: (segment: Segment | undefined) => Buffer
}

const constantStart = ',"outcome":'

/** Makes the entry of a check. */
export function createEntry(parts: RecordParts, { referables, pseudonymize, isCopied }: EntryOptions): Entry {
  const { decisionId } = parts
  let text: string | undefined
  let formed: { readonly segment: Segment; readonly line: Buffer; readonly isWhole: boolean } | undefined
  const toWhole = (): string => {
    if (text === undefined) {
      const record = toRecord(parts)
      text = formatRecord(pseudonymize === undefined ? record : withPseudonym(record, pseudonymize))
    }
    return text
  }
  const find = (segment: Segment) => (isPlain(decisionId) ? referables.find(segment, parts) : undefined)
  const toBytes = (segment: Segment): Buffer => {
    if (formed?.segment !== segment) {
      const found = find(segment)
      const line = found && formatRepeat(found.repeatStart, toVarying(parts))
      formed = { segment, line: frameLine(line ?? toWhole()), isWhole: line === undefined }
    }
    return formed.line
  }
  return {
    toBytes,
    sizeIn: (segment) => (segment === undefined ? frameLine(toWhole()) : toBytes(segment)).length,
    onKept(segment: Segment, leaf: Hash) {
      if (formed?.isWhole !== true) return
      const constant = isCopied ? toWhole().slice(toWhole().indexOf(constantStart)) : undefined
      // Zero byte and newline are no part of the line.
      const bytes = formed.line.length - 2
      referables.add(
        segment,
        parts,
        bytes,
        isPlain(decisionId) ? { repeatStart: startRepeat(decisionId, leaf), constant } : undefined,
      )
    },
    toCopy(segment) {
      const found = segment && find(segment)
      if (found?.constant === undefined) return Buffer.from(toWhole())
      const start = wholeStart.slice(0, wholeStart.indexOf('"decisionId"'))
      return Buffer.from(`${start}${formatVarying(toVarying(parts))}${found.constant}`)
    },
  }
}
