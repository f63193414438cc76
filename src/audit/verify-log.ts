import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { isInvalid } from '../model/invalid.ts'
import { type Checkpoint, verifyCheckpoint } from './checkpoint.ts'
import { highWaterMark, type RawLine, splitLines } from './lines.ts'
import {
  type CheckpointMark,
  frontierOf,
  type Mark,
  markKindOf,
  parseMark,
  type SegmentMark,
} from './mark.ts'
import { createTree, type Hash, leafHash, toHashes } from './merkle.ts'
import { findDifference } from './tampering.ts'
import {
  beginProgress,
  fail,
  type LogVerdict,
  type Progress,
  type SegmentFile,
  type Trust,
  toVerdict,
} from './verify-progress.ts'

/** Reads a log's segments, in their order, until the first flaw. `onBytes` is told how much was read. */
export async function verifyLog(
  log: string,
  segments: readonly SegmentFile[],
  trust: Trust,
  onBytes: (bytes: number) => void = () => {},
): Promise<LogVerdict> {
  const progress = beginProgress(log, trust)
  const headers = await Promise.all(segments.map(({ path }) => readHeader(path)))
  for (const [index, segment] of segments.entries()) {
    const next = headers.slice(index + 1).find((header) => header !== undefined)
    await readSegment(progress, segment, next?.after, next === undefined)
    onBytes((await stat(segment.path)).size)
    if (progress.flaw !== undefined) break
  }
  return toVerdict(progress)
}

async function readHeader(path: string): Promise<SegmentMark | undefined> {
  for await (const [first] of splitLines(path, createReadStream(path))) {
    if (first === undefined) continue
    const mark = parseMark(first.bytes)
    return !isInvalid(mark) && mark.kind === 'segment' ? mark : undefined
  }
  return undefined
}

async function readSegment(
  progress: Progress,
  { path, sequence }: SegmentFile,
  after: SegmentMark['after'],
  isLast: boolean,
): Promise<void> {
  const end = after?.sequence === sequence ? after.bytes : undefined
  const { size } = await stat(path)
  let isFirst = true
  const chunks = createReadStream(path, { highWaterMark, ...(end && { end: end - 1 }) })
  for await (const lines of splitLines(path, chunks)) {
    for (const raw of lines) {
      if (!raw.isEnded && !isLast)
        fail(progress, raw, 'is cut off: it does not end, though another segment follows')
      else if (!raw.isEnded) progress.tornBytes = raw.bytes.length
      else if (isFirst) readFirstLine(progress, raw, sequence)
      else readLine(progress, raw)
      isFirst = false
      if (progress.flaw !== undefined) return
    }
  }
  if (end !== undefined && size > end && after?.torn !== true) {
    fail(progress, { file: path, line: 0 }, `has ${size - end} bytes behind its end`)
  }
}

function readFirstLine(progress: Progress, raw: RawLine, sequence: number): void {
  progress.repeats.begin()
  beginSegment(progress, raw, sequence)
  if (progress.flaw === undefined) addLine(progress, raw, 'segment')
}

function readLine(progress: Progress, raw: RawLine): void {
  const kind = markKindOf(raw.bytes)
  if (kind === 'checkpoint') checkCheckpoint(progress, raw)
  if (progress.flaw === undefined) addLine(progress, raw, kind)
}

function beginSegment(progress: Progress, raw: RawLine, sequence: number): void {
  const mark = parseMark(raw.bytes)
  if (isInvalid(mark) || mark.kind !== 'segment') {
    fail(
      progress,
      raw,
      'begins no segment: it was written before logs had trees, or its first line was changed',
    )
    return
  }
  if (mark.log !== progress.log || mark.sequence !== sequence) {
    fail(progress, raw, `begins segment ${mark.sequence} of \`${mark.log}\`: the file was swapped or renamed`)
    return
  }
  const frontier = frontierOf(mark)
  if (frontier === undefined) {
    fail(progress, raw, 'says of the lines before it what cannot be')
    return
  }
  if (progress.begun === undefined) {
    progress.begun = mark
    progress.tree = createTree(mark.size, frontier)
    progress.sealed = { size: mark.size, frontier }
    return
  }
  const size = progress.tree.size()
  if (mark.size > size)
    fail(progress, raw, `follows line ${mark.size - 1}: the ${mark.size - size} before are missing`)
  else if (mark.size < size)
    fail(progress, raw, `follows line ${mark.size - 1}: ${size - mark.size} before were inserted`)
  else if (!areEqual(frontier, progress.tree.frontier())) failUnsealed(progress, raw)
}

function addLine(progress: Progress, raw: RawLine, kind: Mark['kind'] | undefined): void {
  const { file, line, bytes } = raw
  const leaf = leafHash(bytes)
  progress.tree.add(leaf)
  progress.unsealed.push({ leaf, file, line })
  if (kind === undefined) noteRecord(progress, raw, leaf)
  if (kind === 'retention') {
    const mark = parseMark(bytes)
    if (!isInvalid(mark) && mark.kind === 'retention') progress.retiring.push(mark)
  }
  if (progress.trust.exported.length > 0) compareExported(progress, { file, line })
}

function noteRecord(progress: Progress, { file, line, bytes }: RawLine, leaf: Hash): void {
  progress.records++
  if (!progress.repeats.isLost(bytes, leaf)) return
  const first = progress.lost?.first ?? { file, line, index: progress.tree.size() - 1 }
  progress.lost = { count: (progress.lost?.count ?? 0) + 1, first }
}

function compareExported(progress: Progress, place: Pick<RawLine, 'file' | 'line'>): void {
  const size = progress.tree.size()
  for (const exported of progress.trust.exported) {
    const isOurs = exported.size === size && exported.origin === progress.begun?.origin
    if (isOurs && exported.root !== progress.tree.root()) {
      const message = `is not the end of what the exported checkpoint of ${size} lines signed`
      fail(progress, place, message, size - 1)
    }
  }
}

function checkCheckpoint(progress: Progress, raw: RawLine): void {
  const mark = parseMark(raw.bytes)
  if (isInvalid(mark) || mark.kind !== 'checkpoint') {
    fail(progress, raw, 'is no checkpoint')
    return
  }
  const checkpoint = verifyCheckpoint(mark.note, progress.trust.keys)
  if (isInvalid(checkpoint)) fail(progress, raw, checkpoint.reason)
  else if (checkpoint.origin !== progress.begun?.origin) fail(progress, raw, `is of \`${checkpoint.origin}\``)
  else if (checkpoint.size !== progress.tree.size() || checkpoint.root !== progress.tree.root()) {
    failSealed(progress, raw, checkpoint, mark)
  } else {
    progress.checkpoint = checkpoint
    progress.sealed = { size: checkpoint.size, frontier: progress.tree.frontier() }
    progress.unsealed = []
    progress.retired.push(...progress.retiring)
    progress.retiring = []
  }
}

/** The checkpoint brings the hashes of its lines; when they lead to the signed root, they tell which line is not as it was. */
function failSealed(progress: Progress, raw: RawLine, checkpoint: Checkpoint, mark: CheckpointMark): void {
  const signed = toHashes(Buffer.from(mark.leaves, 'base64'))
  const tree = createTree(progress.sealed.size, progress.sealed.frontier)
  for (const leaf of signed) tree.add(leaf)
  const isAuthentic = tree.size() === checkpoint.size && tree.root() === checkpoint.root
  const found = progress.unsealed.map(({ leaf }) => leaf)
  const difference = isAuthentic ? findDifference(signed, found) : undefined
  if (difference === undefined) {
    failUnsealed(progress, raw)
    return
  }
  const at = progress.unsealed[difference.position] ?? raw
  fail(progress, at, difference.message, progress.sealed.size + difference.position)
}

function failUnsealed(progress: Progress, raw: RawLine): void {
  const first = progress.unsealed[0] ?? raw
  const { size } = progress.sealed
  const message = `or a line after it, up to ${raw.file}:${raw.line}, is not what was signed`
  fail(progress, first, message, size)
}

function areEqual(one: readonly Hash[], other: readonly Hash[]): boolean {
  return one.length === other.length && one.every((hash, index) => other[index] === hash)
}
