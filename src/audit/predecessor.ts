import { createHash, type KeyObject } from 'node:crypto'
import { closeSync, constants, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { highWaterMark, LineSplitter } from './lines.ts'
import { LogCheck } from './log-check.ts'
import type { FoundLog, Torn } from './mark.ts'
import { toBase64 } from './merkle.ts'
import {
  bySegmentAge,
  formatLogName,
  formatSegmentName,
  parseSegmentName,
  type SegmentName,
} from './segment.ts'

/** The last log of a directory and when it began: its successor begins later, whatever the clock says. */
export type Predecessor = { readonly epochMs: number; readonly found: FoundLog | undefined }

/** A log's segments, by their age, the oldest first. */
type Segments = readonly [SegmentName, ...SegmentName[]]

type Seen = { readonly found: FoundLog | undefined; readonly isSigned: boolean }
type Rest = Torn & { readonly sequence: number }

/**
 * Finds out how the last log of the directory ended. What it says enters the new log's first line, and so its tree: a tail
 * that a killed process left unsigned is signed by its successor. Only a log that our key has signed counts, and nothing behind
 * the end of one that was closed: otherwise this process would sign for what somebody else has put there.
 */
export function findPredecessor(directory: string, publicKey: KeyObject): Predecessor | undefined {
  const logs = listLogs(directory)
  for (const segments of logs) {
    const { found, isSigned } = inspect(directory, segments, publicKey)
    if (isSigned) return { epochMs: segments[0].epochMs, found }
  }
  // None is signed by this key: the key is new, or the logs are older than keys.
  const [last] = logs
  return last && { epochMs: last[0].epochMs, found: inspect(directory, last, undefined).found }
}

/** The name of the directory's last log that our key has signed. */
export function findSignedLog(directory: string, publicKey: KeyObject): string | undefined {
  const last = listLogs(directory).find((segments) => inspect(directory, segments, publicKey, true).isSigned)
  return last && formatLogName(last[0])
}

/** The latest log first. */
function listLogs(directory: string): readonly Segments[] {
  const logs = new Map<string, [SegmentName, ...SegmentName[]]>()
  const names = readdirSync(directory, { withFileTypes: true })
    .flatMap((entry) => (entry.isFile() ? (parseSegmentName(entry.name) ?? []) : []))
    .sort(bySegmentAge)
  for (const name of names) {
    const log = formatLogName(name)
    const segments = logs.get(log)
    if (segments === undefined) logs.set(log, [name])
    else segments.push(name)
  }
  return [...logs.values()].toReversed()
}

/** Reads a log from its last segment that has a checkpoint; without a key from the last that begins as one. */
function inspect(
  directory: string,
  segments: Segments,
  key: KeyObject | undefined,
  isSignedEnough = false,
): Seen {
  for (let start = segments.length - 1; start >= 0; start--) {
    const seen = readFrom(directory, segments.slice(start), key, isSignedEnough)
    if (seen.isSigned || (key === undefined && seen.found !== undefined)) return seen
  }
  return { found: undefined, isSigned: false }
}

function readFrom(
  directory: string,
  segments: readonly SegmentName[],
  key: KeyObject | undefined,
  isSignedEnough: boolean,
): Seen {
  const [first] = segments
  if (first === undefined) return { found: undefined, isSigned: false }
  const log = formatLogName(first)
  let isSigned = false
  const check = new LogCheck(
    { log, keys: key === undefined ? [] : [key], found: undefined, isVouchedWhole: false },
    {
      onSigned() {
        isSigned = true
      },
      // `audit verify` reports what is wrong.
      onFlaw() {},
    },
  )
  const rests: Rest[] = []
  for (const segment of segments) {
    check.begin(segment.sequence)
    const path = join(directory, formatSegmentName(segment))
    const rest = readLines(path, check, () => isSignedEnough && isSigned)
    if (rest !== undefined) rests.push({ sequence: segment.sequence, ...rest })
  }
  const { size, root, sequence, isEnded } = check.finish({ file: log })
  if (size === 0) return { found: undefined, isSigned }
  const found = { log, sequence, size, root: toBase64(root) }
  // Behind the end of a log that was closed, nothing is the log's.
  return { found: isEnded ? found : { ...found, ...toTorn(rests, sequence) }, isSigned }
}

function toTorn(rests: readonly Rest[], last: number): Pick<FoundLog, 'torn' | 'behind'> {
  const torn = rests.find(({ sequence }) => sequence === last)
  const behind = rests.filter(({ sequence }) => sequence > last)
  return {
    torn: torn && { bytes: torn.bytes, sha256: torn.sha256 },
    behind: behind.length === 0 ? undefined : behind,
  }
}

/** Reads a segment's lines into the check; returns what follows the last newline. */
function readLines(path: string, check: LogCheck, isEnough: () => boolean): Torn | undefined {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const splitter = new LineSplitter(path)
    for (;;) {
      // Lines are views into the chunk, so each chunk has memory of its own.
      const chunk = Buffer.alloc(highWaterMark)
      const bytes = readSync(fd, chunk)
      if (bytes === 0 || isEnough()) break
      for (const line of splitter.push(chunk.subarray(0, bytes))) check.read(line)
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
