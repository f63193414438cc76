import { type Invalid, invalid, isInvalid } from '../model/invalid.ts'
import { type RawLine, readLines } from './lines.ts'
import { type Mark, markKindOf } from './mark.ts'
import { parseRecord } from './parse-record.ts'
import type { DecisionRecord } from './record.ts'

/** What stands on one line. `torn`: the last line of a file whose writer was killed or ran out of disk in the middle of it. */
export type LogLine = { readonly file: string; readonly line: number } & (
  | { readonly kind: 'record'; readonly record: DecisionRecord }
  /** What the log says of itself; see `verifyLogs`. */
  | { readonly kind: 'mark'; readonly mark: Mark['kind'] }
  | { readonly kind: 'torn' }
  /** Not a record, or (line 0) a path that cannot be read. */
  | { readonly kind: 'bad'; readonly reason: string }
)

/**
 * Reads the records of log directories, segment files and standard input (`-`), file by file; nothing is held but one
 * line. With `mentions`, lines that do not hold all of these texts are passed over unread: most of a log, when one looks
 * for little.
 */
export async function* readRecords(
  paths: readonly string[],
  mentions: readonly string[] = [],
): AsyncGenerator<LogLine> {
  const needles = mentions.map((text) => Buffer.from(text))
  for await (const raw of readLines(paths)) {
    if ('kind' in raw) yield raw
    else if (needles.every((needle) => raw.bytes.includes(needle))) yield toLogLine(raw)
  }
}

/** Finds one decision's record: the last, for a refusal to allow without a record is recorded under the same id. */
export async function findDecision(
  paths: readonly string[],
  decisionId: string,
): Promise<DecisionRecord | Invalid> {
  let unreadable: Invalid | undefined
  let found: DecisionRecord | undefined
  // Most lines are of other decisions; only those that mention this one are worth parsing.
  for await (const line of readRecords(paths, [decisionId])) {
    if (line.kind === 'record' && line.record.decisionId === decisionId) found = line.record
    else if (line.kind === 'torn') unreadable = invalid(`${line.file}:${line.line}: it is torn`)
    else if (line.kind === 'bad') unreadable = invalid(`${line.file}:${line.line}: ${line.reason}`)
  }
  return found ?? unreadable ?? invalid(`no record of decision \`${decisionId}\`; name every replica's log`)
}

function toLogLine({ file, line, bytes, isEnded }: RawLine): LogLine {
  const mark = markKindOf(bytes)
  if (mark !== undefined && isEnded) return { kind: 'mark', file, line, mark }
  const record = parseRecord(bytes.toString())
  if (!isInvalid(record)) return { kind: 'record', file, line, record }
  return isEnded ? { kind: 'bad', file, line, reason: record.reason } : { kind: 'torn', file, line }
}
