import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { logsOf } from './worker-logs.ts'

/** One line of a log, newline excluded; `isEnded` is false when the file ends without one. */
export type RawLine = {
  readonly file: string
  readonly line: number
  readonly bytes: Buffer
  readonly isEnded: boolean
}

/** A path that cannot be read. */
export type Unreadable = {
  readonly kind: 'bad'
  readonly file: string
  readonly line: 0
  readonly reason: string
}

const newline = 0x0a
/** How much of a file is read at once. */
export const highWaterMark: number = 1 << 18
const maxLineBytes = 4 * 1024 * 1024
const stdin = '-'

/** One replica's missing log must not hide the others': a path that cannot be read is reported and passed over. */
export async function* readLines(paths: readonly string[]): AsyncGenerator<readonly RawLine[] | Unreadable> {
  for (const path of paths) {
    try {
      for (const log of await logsOf(path)) {
        for (const file of await filesOf(log)) {
          yield* splitLines(file, file === stdin ? process.stdin : createReadStream(file, { highWaterMark }))
        }
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

/**
 * Splits at `\n` alone: other separators may stand inside a record that somebody else has written. Gives the lines of
 * each chunk together, for to wait for each line costs more than to read it.
 */
export async function* splitLines(
  file: string,
  chunks: AsyncIterable<Buffer>,
): AsyncGenerator<readonly RawLine[]> {
  let line = 0
  let pieces: Buffer[] = []
  let length = 0
  for await (const chunk of chunks) {
    const lines: RawLine[] = []
    let start = 0
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      line++
      const rest = chunk.subarray(start, end)
      const bytes = pieces.length === 0 ? rest : Buffer.concat([...pieces, rest])
      if (!isBlank(bytes)) lines.push({ file, line, bytes, isEnded: true })
      start = end + 1
      pieces = []
      length = 0
    }
    // What no writer of ours produced is not collected: the line is cut, fails to parse and is reported.
    if (length < maxLineBytes) pieces.push(chunk.subarray(start))
    length += chunk.length - start
    yield lines
  }
  const rest = Buffer.concat(pieces)
  if (!isBlank(rest)) yield [{ file, line: line + 1, bytes: rest, isEnded: false }]
}

/** A log that ran out of disk writes blank lines to find out when there is room again. */
function isBlank(bytes: Buffer): boolean {
  for (const byte of bytes) if (byte !== 0x20 && byte !== 0x0d) return false
  return true
}
