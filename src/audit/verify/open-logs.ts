import type { KeyObject } from 'node:crypto'
import { isInvalid } from '../../base/model/invalid.ts'
import { groupBy } from '../format/group.ts'
import type { FoundLog, SegmentLine } from '../format/meta-line.ts'
import type { Leaf } from '../log/check-progress.ts'
import type { Keyring } from '../log/keyring.ts'
import { bySegmentAge, formatLogName } from '../log/segment.ts'
import { type HeadedSegment, readHeader, type SegmentFile } from '../log/segment-file.ts'
import { type Walk, walkLog } from './walk-log.ts'

/** The files of one log, and the statements of its neighbours. */
export type OpenLog = {
  readonly log: string
  readonly root: string
  readonly directory: string
  readonly worker: number | undefined
  readonly epochMs: number
  readonly segments: readonly HeadedSegment[]
  /** Files that claim to be a segment that exists already. */
  readonly copies: readonly SegmentFile[]
  readonly keys: readonly KeyObject[]
  /** The reason why there are no keys. */
  readonly keyProblem: string | undefined
  /** The first line of the log, if it is signed. */
  readonly opening: SegmentLine | undefined
  /** Signed logs that found this one. More than one means that two logs continue it. */
  readonly successors: readonly Successor[]
}

/**
 * A signed log and its statement about the previous log. Older versions (`isOld`) made no promise of checkpoints. Such a
 * process followed any log that it found, did not mention later segments without a line, and its predecessor may have
 * been killed before its first signature. Newer logs are signed from the start, and a process vouches only for a log that
 * its key has signed.
 */
export type Successor = { readonly log: string; readonly found: FoundLog; readonly isOld: boolean }

type Opening = OpenLog & { opening: SegmentLine | undefined; readonly successors: Successor[] }

/** Groups segments into logs, oldest first, and reads each log's first line and its reference to the previous log. */
export async function openLogs(
  segments: readonly SegmentFile[],
  keyring: Keyring,
): Promise<readonly OpenLog[]> {
  const logs: Opening[] = []
  for (const files of groupBy(segments, formatLogName).values()) logs.push(await toLog(files, keyring))
  logs.sort(byAge)
  const byName = new Map(logs.map((log) => [log.log, log]))
  const follow = (log: Opening): void => {
    const found = log.opening?.follows
    if (found === undefined) return
    const isOld = log.opening?.sealsEverySeconds === undefined
    byName.get(found.log)?.successors.push({ log: log.log, found, isOld })
  }
  for (const log of logs) {
    log.opening = await readOpening(log)
    follow(log)
  }
  for (const log of logs.toReversed()) {
    if (log.opening !== undefined || log.successors.length === 0) continue
    log.opening = await readOpening(log)
    follow(log)
  }
  return logs
}

/** Returns the log as its successor found it; the first successor counts. */
export function foundBy({
  successors,
}: Pick<OpenLog, 'successors'>): Pick<Walk, 'found' | 'isTornExact' | 'isVouchedWhole'> {
  const [first] = successors
  return { found: first?.found, isTornExact: first?.isOld === false, isVouchedWhole: first?.isOld === true }
}

async function toLog(files: readonly SegmentFile[], keyring: Keyring): Promise<Opening> {
  const segments = new Map<number, SegmentFile>()
  const copies: SegmentFile[] = []
  for (const file of files) {
    if (segments.has(file.sequence)) copies.push(file)
    else segments.set(file.sequence, file)
  }
  const sorted: HeadedSegment[] = []
  for (const file of [...segments.values()].sort(bySegmentAge)) {
    const header = await readHeader(file.path)
    const isOwn = header?.log === formatLogName(file) && header.sequence === file.sequence
    sorted.push({ ...file, header: isOwn ? header : undefined })
  }
  const [first] = sorted
  if (first === undefined) throw new RangeError('expected a log with a segment')
  const { root, directory, worker, epochMs } = first
  const keys = await keyring(root)
  return {
    log: formatLogName(first),
    ...{ root, directory, worker, epochMs },
    segments: sorted,
    copies,
    keys: isInvalid(keys) ? [] : keys,
    keyProblem: isInvalid(keys) ? keys.reason : undefined,
    opening: undefined,
    successors: [],
  }
}

/** Reads the first line of a log once a signature covers it; `undefined` if none does, or if another line comes first. */
async function readOpening(log: OpenLog): Promise<SegmentLine | undefined> {
  let signed: readonly Leaf[] | undefined
  let isFlawed = false
  const walk = walkLog({
    ...log,
    ...foundBy(log),
    onSigned(lines) {
      signed ??= lines
    },
    onFlaw() {
      isFlawed = true
    },
  })
  for await (const _ of walk) if (signed !== undefined || isFlawed) break
  const meta = signed?.[0]?.meta
  return meta?.kind === 'segment' ? meta : undefined
}

function byAge(one: OpenLog, other: OpenLog): number {
  return one.epochMs - other.epochMs || (one.log < other.log ? -1 : 1)
}
