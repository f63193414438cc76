import { createHash, type KeyObject } from 'node:crypto'
import { closeSync, constants, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { groupBy } from '../format/group.ts'
import { highWaterMark, LineSplitter, type RawLine } from '../format/lines.ts'
import { toBase64 } from '../format/merkle.ts'
import { type FoundLog, metaKindOf, type Torn } from '../format/meta-line.ts'
import { LogCheck } from '../log/log-check.ts'
import {
  bySegmentAge,
  formatLogName,
  formatSegmentName,
  parseSegmentName,
  type SegmentName,
} from '../log/segment.ts'

/** The last log of a directory and its start time. The next log starts later than that, whatever the clock says. */
export type Predecessor = { readonly epochMs: number; readonly found: FoundLog | undefined }

/** The segments of one log, oldest first. */
type Segments = readonly SegmentName[]
type Rest = Torn & { readonly sequence: number }

/**
 * Determines how the last log of the directory ended. The result is in the new log's first line, and so in its tree: the
 * successor signs the unsigned tail of a killed process. Only a log that this key has signed counts, and nothing after
 * the end of a closed log. Otherwise this process would sign lines that another program put there.
 */
export function findPredecessor(directory: string, publicKey: KeyObject): Predecessor | undefined {
  const logs = listLogs(directory)
  for (const segments of logs) {
    const signed = segments.findLastIndex((segment) => isSignedBy(directory, segment, publicKey))
    if (signed !== -1) return toPredecessor(directory, segments.slice(signed), publicKey)
  }
  // This key has signed none of them: the key is new, or the logs are older than keys.
  const [last = []] = logs
  const begun = last.findLastIndex((segment) => readFrom(directory, [segment], undefined) !== undefined)
  return toPredecessor(directory, last.slice(Math.max(0, begun)), undefined)
}

/** Returns the name of the directory's last log that this key has signed. */
export function findSignedLog(directory: string, publicKey: KeyObject): string | undefined {
  const segments = listLogs(directory).flatMap((log) => log.toReversed())
  const last = segments.find((segment) => isSignedBy(directory, segment, publicKey))
  return last && formatLogName(last)
}

/** Lists the logs, latest first. */
function listLogs(directory: string): readonly Segments[] {
  const names = readdirSync(directory, { withFileTypes: true })
    .flatMap((entry) => (entry.isFile() ? (parseSegmentName(entry.name) ?? []) : []))
    .sort(bySegmentAge)
  return [...groupBy(names, formatLogName).values()].toReversed()
}

/**
 * True if this key has signed the first checkpoint of a segment. Nothing after it is read, because there may be many
 * segments.
 */
function isSignedBy(directory: string, segment: SegmentName, key: KeyObject): boolean {
  let isSigned = false
  const onSigned = (): void => {
    isSigned = true
  }
  const check = createCheck(segment, key, onSigned)
  check.begin(segment.sequence)
  readLines(directory, segment, (line) => {
    check.read(line)
    return metaKindOf(line.bytes) === 'checkpoint'
  })
  return isSigned
}

function toPredecessor(
  directory: string,
  segments: Segments,
  key: KeyObject | undefined,
): Predecessor | undefined {
  const [first] = segments
  return first && { epochMs: first.epochMs, found: readFrom(directory, segments, key) }
}

/** Reads how a log ended, from all of these segments. */
function readFrom(directory: string, segments: Segments, key: KeyObject | undefined): FoundLog | undefined {
  const [first] = segments
  if (first === undefined) return undefined
  const check = createCheck(first, key, () => {})
  const rests: Rest[] = []
  for (const segment of segments) {
    check.begin(segment.sequence)
    const rest = readLines(directory, segment, (line) => {
      check.read(line)
      return false
    })
    if (rest !== undefined) rests.push({ sequence: segment.sequence, ...rest })
  }
  const log = formatLogName(first)
  const { size, root, sequence, isEnded } = check.finish({ file: log })
  if (size === 0) return undefined
  const found = { log, sequence, size, root: toBase64(root) }
  // Nothing after the end of a closed log belongs to it.
  return isEnded ? found : { ...found, ...toTorn(rests, sequence) }
}

/** Flaws of a log are reported by `audit verify`, not here. */
function createCheck(segment: SegmentName, key: KeyObject | undefined, onSigned: () => void): LogCheck {
  const trust = { log: formatLogName(segment), keys: key === undefined ? [] : [key] }
  return new LogCheck({ ...trust, found: undefined, isVouchedWhole: false }, { onSigned, onFlaw() {} })
}

function toTorn(rests: readonly Rest[], last: number): Pick<FoundLog, 'torn' | 'behind'> {
  const torn = rests.find(({ sequence }) => sequence === last)
  const behind = rests.filter(({ sequence }) => sequence > last)
  return {
    torn: torn && { bytes: torn.bytes, sha256: torn.sha256 },
    behind: behind.length === 0 ? undefined : behind,
  }
}

/** Passes on a segment's lines until enough are read; returns the bytes after the last newline. */
function readLines(
  directory: string,
  segment: SegmentName,
  isEnough: (line: RawLine) => boolean,
): Torn | undefined {
  const path = join(directory, formatSegmentName(segment))
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const splitter = new LineSplitter(path)
    for (;;) {
      // Lines are views into the chunk, so each chunk needs its own memory.
      const chunk = Buffer.alloc(highWaterMark)
      const bytes = readSync(fd, chunk)
      if (bytes === 0) break
      if (splitter.push(chunk.subarray(0, bytes)).some(isEnough)) return undefined
    }
    const { restBytes } = splitter
    if (restBytes === 0) return undefined
    return {
      bytes: restBytes,
      sha256: createHash('sha256').update(splitter.rest().bytes).digest('hex'),
    }
  } finally {
    closeSync(fd)
  }
}
