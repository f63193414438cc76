import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { isAbsent } from '../../base/model/fault.ts'
import { highWaterMark, LineSplitter } from '../format/lines.ts'
import type { FoundLog, SegmentLine } from '../format/meta-line.ts'
import { type Checked, LogCheck, type LogTrust } from '../log/log-check.ts'
import { describe, type HeadedSegment, openRegular, type SegmentFile } from '../log/segment-file.ts'
import type { Flaw } from '../log/tampering.ts'

/** The result of walking over a log's files. */
export type Walked = Checked & {
  /** Bytes after the last newline: a line in progress, or one whose writer was killed. */
  readonly tornBytes: number
}

/** The inputs of a walk over a log, besides those of its check. */
export type Walk = LogTrust & {
  readonly segments: readonly HeadedSegment[]
  /** True if the log that found this one names every byte after its lines. */
  readonly isTornExact: boolean
  readonly onSigned: ConstructorParameters<typeof LogCheck>[1]['onSigned']
  readonly onFlaw: (flaw: Flaw) => void
  /** Receives the number of bytes of each read. */
  readonly onBytes?: ((bytes: number) => void) | undefined
}

/** The bytes of a segment after its last newline. */
type Torn = {
  readonly path: string
  readonly sequence: number
  readonly bytes: number
  readonly sha256: string
}

/**
 * Reads and checks the segments of one log in order, piece by piece. After each `next`, all results so far have been
 * passed on.
 */
export async function* walkLog(walk: Walk): AsyncGenerator<undefined, Walked> {
  const check = new LogCheck(walk, walk)
  const torn: Torn[] = []
  const followers = findFollowers(walk.segments)
  for (const [index, segment] of walk.segments.entries()) {
    const next = followers[index]
    check.begin(segment.sequence)
    try {
      const rest = yield* readSegment(segment, next, check, walk)
      if (rest !== undefined) torn.push(rest)
    } catch (cause) {
      // Retention has just removed this segment. The next segment says which lines are missing.
      if (isAbsent(cause)) continue
      walk.onFlaw({ ...whole(segment), message: `cannot be read: ${describe(cause)}` })
      check.lose()
    }
  }
  const last = walk.segments.at(-1)?.path ?? walk.log
  const checked = check.finish({ file: last })
  const message = walk.found && findOtherTorn(torn, walk.found, walk.isTornExact)
  if (message !== undefined) walk.onFlaw({ file: last, line: 0, index: checked.size, message })
  const tornBytes = torn.reduce((sum, { bytes }) => sum + bytes, 0)
  if (checked.isEnded && tornBytes > 0) {
    const added = `has ${tornBytes} bytes behind the end of the log, which nobody signed`
    walk.onFlaw({ file: torn[0]?.path ?? last, line: 0, index: checked.size, message: added })
  }
  return { ...checked, tornBytes }
}

/** Reads one segment up to the end of the log; returns the bytes after its last newline. */
async function* readSegment(
  segment: SegmentFile,
  next: SegmentLine | undefined,
  check: LogCheck,
  { onFlaw, onBytes = () => {} }: Walk,
): AsyncGenerator<undefined, Torn | undefined> {
  const end = next?.after?.sequence === segment.sequence ? next.after.bytes : undefined
  await using file = await openRegular(segment.path)
  const { size } = await file.stat()
  const splitter = new LineSplitter(segment.path)
  // Bytes of a failed write are not part of the log. Everything else is read and compared with the signed hashes.
  for await (const chunk of chunksOf(file, next?.after?.torn === true ? end : undefined)) {
    for (const line of splitter.push(chunk)) check.read(line)
    onBytes(chunk.length)
    yield
  }
  if (end !== undefined && size > end && next?.after?.torn !== true) {
    onFlaw({ ...whole(segment), message: `has ${size - end} bytes behind its end` })
  }
  const { restBytes: bytes } = splitter
  if (bytes === 0) return undefined
  if (next !== undefined) {
    const message = 'is cut off: its last line does not end, though another segment follows'
    onFlaw({ ...whole(segment), message })
    check.lose()
    return undefined
  }
  const sha256 = createHash('sha256').update(splitter.rest().bytes).digest('hex')
  return { path: segment.path, sequence: segment.sequence, bytes, sha256 }
}

function chunksOf(file: FileHandle, end: number | undefined): AsyncIterable<Buffer> {
  const range = end === undefined ? {} : { end: end - 1 }
  return file.createReadStream({ highWaterMark, autoClose: false, ...range })
}

/** Returns for each segment the first line of the next segment that has one. */
function findFollowers(segments: readonly HeadedSegment[]): readonly (SegmentLine | undefined)[] {
  let next: SegmentLine | undefined
  return segments
    .toReversed()
    .map(({ header }) => {
      const follower = next
      next = header ?? next
      return follower
    })
    .toReversed()
}

/** Compares the bytes after the last lines with the next log's statement about them. */
function findOtherTorn(torn: readonly Torn[], found: FoundLog, isExact: boolean): string | undefined {
  const said = new Map((found.behind ?? []).map((each) => [each.sequence, each]))
  if (found.torn !== undefined) said.set(found.sequence, { ...found.torn, sequence: found.sequence })
  for (const { path, sequence, bytes, sha256 } of torn) {
    const was = said.get(sequence)
    said.delete(sequence)
    if (was === undefined && !isExact && sequence !== found.sequence) continue
    if (was?.bytes === bytes && was.sha256 === sha256) continue
    const before = was === undefined ? 'none' : was.bytes === bytes ? 'others' : String(was.bytes)
    return `has ${bytes} bytes behind its last line (\`${path}\`), and the log after it found ${before}: they were added or changed`
  }
  const [lost] = said.values()
  return lost && `was cut: the log after it found ${lost.bytes} bytes of a torn line, and they are gone`
}

function whole({ path }: SegmentFile): Omit<Flaw, 'message'> {
  return { file: path, line: 0, index: 0 }
}
