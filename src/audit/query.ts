import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Invalid, invalid, isInvalid } from '../model/invalid.ts'
import { parseRecord } from './parse-record.ts'
import type { DecisionRecord } from './record.ts'

/** What stands on one line. `torn`: the last line of a file whose writer was killed or ran out of disk in the middle of it. */
export type LogLine = { readonly file: string; readonly line: number } & (
  | { readonly kind: 'record'; readonly record: DecisionRecord }
  | { readonly kind: 'torn' }
  /** Not a record, or (line 0) a path that cannot be read. */
  | { readonly kind: 'bad'; readonly reason: string }
)

type RawLine = {
  readonly file: string
  readonly line: number
  readonly bytes: Buffer
  readonly isEnded: boolean
}
type Unreadable = Extract<LogLine, { readonly kind: 'bad' }>

const newline = 0x0a
const maxLineBytes = 4 * 1024 * 1024
const stdin = '-'

/** Reads the records of log directories, segment files and standard input (`-`), file by file; nothing is held but one line. */
export async function* readRecords(paths: readonly string[]): AsyncGenerator<LogLine> {
  for await (const raw of readLines(paths)) {
    const { file, line } = raw
    if ('kind' in raw) {
      yield raw
      continue
    }
    const record = parseRecord(raw.bytes.toString())
    if (!isInvalid(record)) yield { kind: 'record', file, line, record }
    else if (raw.isEnded) yield { kind: 'bad', file, line, reason: record.reason }
    else yield { kind: 'torn', file, line }
  }
}

/** Finds one decision's record. */
export async function findDecision(
  paths: readonly string[],
  decisionId: string,
): Promise<DecisionRecord | Invalid> {
  let unreadable: Invalid | undefined
  for await (const raw of readLines(paths)) {
    if ('kind' in raw) {
      unreadable = invalid(`${raw.file}: ${raw.reason}`)
      continue
    }
    // Most lines are of other decisions; only those that mention this one are worth parsing.
    if (!raw.bytes.includes(decisionId)) continue
    const record = parseRecord(raw.bytes.toString())
    if (isInvalid(record)) unreadable = record
    else if (record.decisionId === decisionId) return record
  }
  return unreadable ?? invalid(`no record of decision \`${decisionId}\`; name every replica's log`)
}

/** One replica's missing log must not hide the others': a path that cannot be read is reported and passed over. */
async function* readLines(paths: readonly string[]): AsyncGenerator<RawLine | Unreadable> {
  for (const path of paths) {
    try {
      for (const file of await filesOf(path)) {
        yield* splitLines(
          file,
          file === stdin ? process.stdin : createReadStream(file, { highWaterMark: 1 << 18 }),
        )
      }
    } catch (cause) {
      yield {
        kind: 'bad',
        file: path,
        line: 0,
        reason: cause instanceof Error ? cause.message : String(cause),
      }
    }
  }
}

/** The path itself, or a directory's segments, each writer's in the order written. */
async function filesOf(path: string): Promise<readonly string[]> {
  if (path === stdin || !(await stat(path)).isDirectory()) return [path]
  const names = (await readdir(path)).filter((name) => name.endsWith('.ndjson')).sort()
  return names.map((name) => join(path, name))
}

/** Splits at `\n` alone: other separators may stand inside a record that somebody else has written. */
async function* splitLines(file: string, chunks: AsyncIterable<Buffer>): AsyncGenerator<RawLine> {
  let line = 0
  let pieces: Buffer[] = []
  let length = 0
  for await (const chunk of chunks) {
    let start = 0
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      line++
      const bytes = Buffer.concat([...pieces, chunk.subarray(start, end)])
      if (!isBlank(bytes)) yield { file, line, bytes, isEnded: true }
      start = end + 1
      pieces = []
      length = 0
    }
    // What no writer of ours produced is not collected: the line is cut, fails to parse and is reported.
    if (length < maxLineBytes) pieces.push(chunk.subarray(start))
    length += chunk.length - start
  }
  const rest = Buffer.concat(pieces)
  if (!isBlank(rest)) yield { file, line: line + 1, bytes: rest, isEnded: false }
}

/** A log that ran out of disk writes blank lines to find out when there is room again. */
function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x0d)
}
