import { isInvalid } from '../../base/model/invalid.ts'
import type { RawLine } from '../format/lines.ts'
import { type MetaLine, metaKindOf, parseMetaLine } from '../format/meta-line.ts'
import { parseRecord } from '../format/parse-record.ts'
import type { DecisionRecord } from '../format/record.ts'
import {
  beginsWith,
  expandRepeat,
  firstIdEnd,
  maxTargetBytes,
  ownStart,
  parseRepeat,
  repeatStart,
  wholeStart,
} from '../format/repeat.ts'
import type { ShadowLine } from '../format/shadow-line.ts'
import { createWholeLine, type WholeLine } from '../format/whole-line.ts'
import { createWholeLines } from '../format/whole-lines.ts'

/** The content of one line. `torn`: an unfinished last line, because the writer was killed or the disk was full. */
export type LogLine = { readonly file: string; readonly line: number } & (
  | {
      readonly kind: 'record'
      readonly record: DecisionRecord
      /** The full record's line, if this record is a repeat. */
      readonly of?: Buffer | undefined
    }
  /** A meta line; see `verifyLogs`. */
  | { readonly kind: 'meta'; readonly meta: Exclude<MetaLine, ShadowLine>['kind'] }
  | { readonly kind: 'shadow'; readonly shadow: ShadowLine }
  | { readonly kind: 'torn' }
  /** Not a record, or (line 0) a path that cannot be read. */
  | { readonly kind: 'bad'; readonly reason: string }
)

/** The wanted lines: those that may contain all of these texts, and records of this time. */
export type Wanted = {
  readonly mentions?: readonly string[]
  /** Milliseconds since the epoch; `sinceMs` is inclusive, `untilMs` exclusive. */
  readonly sinceMs?: number | undefined
  readonly untilMs?: number | undefined
}

const quote = 0x22
const timeStart = '","time":"'
const timeLength = 24

/**
 * Reads the lines of logs in order. A repeat is read together with its full record. Most lines are skipped by their
 * bytes. It holds only the repeatable lines of one segment.
 */
export class RecordReader {
  readonly #needles: readonly Buffer[]
  readonly #since: string
  readonly #until: string
  readonly #wholes = createWholeLines<WholeLine>()
  #file = ''

  constructor({ mentions = [], sinceMs, untilMs }: Wanted) {
    this.#needles = mentions.map((text) => Buffer.from(text))
    this.#since = sinceMs === undefined ? '' : new Date(sinceMs).toISOString()
    // Sorts after all times.
    this.#until = untilMs === undefined ? '~' : new Date(untilMs).toISOString()
  }

  /** Returns the content of the line; `undefined` if it is not wanted. */
  read(raw: RawLine): LogLine | undefined {
    if (raw.file !== this.#file) {
      this.#file = raw.file
      this.#wholes.clear()
    }
    if (beginsWith(raw.bytes, repeatStart)) return this.#readRepeat(raw)
    return beginsWith(raw.bytes, wholeStart) ? this.#readWhole(raw) : this.#readOther(raw)
  }

  #readWhole(raw: RawLine): LogLine | undefined {
    const { bytes } = raw
    const idEnd = firstIdEnd(bytes, wholeStart)
    if (raw.isEnded && bytes.length <= maxTargetBytes) {
      const decisionId = bytes.toString('latin1', wholeStart.length, idEnd)
      this.#wholes.add(decisionId, createWholeLine(bytes, this.#needles))
    }
    if (!this.#isOfTime(bytes, idEnd) || !this.#needles.every((needle) => bytes.includes(needle))) {
      return undefined
    }
    return toRecordLine(raw)
  }

  #readRepeat(raw: RawLine): LogLine | undefined {
    const { file, line, bytes } = raw
    const ofEnd = firstIdEnd(bytes, repeatStart)
    const own = ownStart(ofEnd)
    const whole = this.#wholes.find(bytes.toString('latin1', repeatStart.length, ofEnd))
    // The wanted text may be in the full record. If that is missing, the line is reported.
    if (whole?.unmentioned.every((needle) => bytes.includes(needle, own)) === false) return undefined
    if (!this.#isOfTime(bytes, bytes.indexOf(quote, own + ownId.length))) return undefined
    const repeat = parseRepeat(bytes.toString())
    if (isInvalid(repeat)) return toUnread(raw, repeat.reason)
    const record = whole?.leaf() === repeat.leaf ? whole.record() : undefined
    if (whole === undefined || record === undefined) {
      return toUnread(
        raw,
        `record: it repeats \`${repeat.of}\`, which does not stand before it in its segment`,
      )
    }
    if (isInvalid(record)) return toUnread(raw, record.reason)
    return { kind: 'record', file, line, record: expandRepeat(record, repeat), of: whole.bytes }
  }

  #readOther(raw: RawLine): LogLine | undefined {
    const { file, line, bytes, isEnded } = raw
    const meta = metaKindOf(bytes)
    if (meta === 'segment') this.#wholes.clear()
    if (!this.#needles.every((needle) => bytes.includes(needle))) return undefined
    if (meta === undefined || !isEnded) return toRecordLine(raw)
    return meta === 'shadow' ? toShadowLine(raw) : { kind: 'meta', file, line, meta }
  }

  /**
   * True if the record is of the wanted time, or if its time is not at the expected place. Then the caller parses the
   * whole record.
   */
  #isOfTime(bytes: Buffer, idEnd: number): boolean {
    if (this.#since === '' && this.#until === '~') return true
    const start = idEnd + timeStart.length
    if (bytes.toString('latin1', idEnd, start) !== timeStart || bytes[start + timeLength] !== quote)
      return true
    const time = bytes.toString('latin1', start, start + timeLength)
    return time >= this.#since && time < this.#until
  }
}

const ownId = '"decisionId":"'

function toRecordLine(raw: RawLine): LogLine {
  const { file, line, bytes } = raw
  const record = parseRecord(bytes.toString())
  return isInvalid(record) ? toUnread(raw, record.reason) : { kind: 'record', file, line, record }
}

function toShadowLine(raw: RawLine): LogLine {
  const { file, line, bytes } = raw
  const shadow = parseMetaLine(bytes)
  if (isInvalid(shadow)) return toUnread(raw, shadow.reason)
  return shadow.kind === 'shadow'
    ? { kind: 'shadow', file, line, shadow }
    : { kind: 'meta', file, line, meta: shadow.kind }
}

function toUnread({ file, line, isEnded }: RawLine, reason: string): LogLine {
  return isEnded ? { kind: 'bad', file, line, reason } : { kind: 'torn', file, line }
}
