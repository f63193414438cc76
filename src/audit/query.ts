import { type Invalid, invalid } from '../model/invalid.ts'
import { readLines } from './lines.ts'
import type { DecisionRecord } from './record.ts'
import { type LogLine, RecordReader, type Wanted } from './record-reader.ts'

/**
 * Reads the records of log directories, segment files and standard input (`-`), file by file. With `wanted`, other lines
 * are passed over unread: most of a log, when one looks for little.
 */
export async function* readRecords(paths: readonly string[], wanted: Wanted = {}): AsyncGenerator<LogLine> {
  const reader = new RecordReader(wanted)
  for await (const lines of readLines(paths)) {
    if ('kind' in lines) yield lines
    else {
      for (const raw of lines) {
        const line = reader.read(raw)
        if (line !== undefined) yield line
      }
    }
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
  for await (const line of readRecords(paths, { mentions: [decisionId] })) {
    if (line.kind === 'record' && line.record.decisionId === decisionId) found = line.record
    else if (line.kind === 'torn') unreadable = invalid(`${line.file}:${line.line}: it is torn`)
    else if (line.kind === 'bad') unreadable = invalid(`${line.file}:${line.line}: ${line.reason}`)
  }
  return found ?? unreadable ?? invalid(`no record of decision \`${decisionId}\`; name every replica's log`)
}
