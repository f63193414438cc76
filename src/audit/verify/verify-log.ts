import { createLostRepeats } from '../format/lost-repeats.ts'
import type { RetentionLine, SegmentLine } from '../format/meta-line.ts'
import type { Leaf } from '../log/check-progress.ts'
import type { Exported } from '../log/exported.ts'
import type { Signer } from '../log/log-check.ts'
import type { Flaw } from '../log/tampering.ts'
import { foundBy, type OpenLog } from './open-logs.ts'
import { type Walked, walkLog } from './walk-log.ts'

/** Repeats whose decision cannot be reconstructed: their number, and the first one. */
export type Lost = { readonly count: number; readonly first: Omit<Flaw, 'message' | 'isSigned'> }

/**
 * The result of reading a log's files. A log's statements about itself and others count only as far as they are signed.
 */
export type LogVerdict = Omit<Walked, 'unsigned'> & {
  readonly records: number
  /** The number of unsigned lines, and of records among them. */
  readonly unsealed: number
  readonly unsealedRecords: number
  /** The number of records that only the next log has signed. */
  readonly vouched: number
  /** The first line of the first remaining segment. */
  readonly opening: SegmentLine | undefined
  readonly retired: readonly RetentionLine[]
  /** Logs of other folders that it names. */
  readonly beside: readonly string[]
  /** The last time in its signed lines, and in its unsigned records; 0 if there is none. */
  readonly signedAtMs: number
  readonly unsealedAtMs: number
  readonly lost: Lost | undefined
  readonly flaw: Flaw | undefined
}

type Gathered = {
  records: number
  vouched: number
  opening: SegmentLine | undefined
  readonly retired: RetentionLine[]
  readonly beside: Set<string>
  signedAtMs: number
  lost: Lost | undefined
  flaw: Flaw | undefined
}

const timeStart = '"time":"'
const timeLength = 24

/** Reads a log's segments in order. `onBytes` receives the number of bytes of each read. */
export async function verifyLog(
  log: OpenLog,
  exported: Exported,
  onBytes: (bytes: number) => void,
): Promise<LogVerdict> {
  const found: Gathered = {
    records: 0,
    vouched: 0,
    opening: undefined,
    retired: [],
    beside: new Set(),
    signedAtMs: 0,
    lost: undefined,
    flaw: undefined,
  }
  const countRecord = createCounter(found)
  const walk = walkLog({
    ...log,
    ...foundBy(log),
    exported,
    onSigned(leaves, by) {
      for (const leaf of leaves) countRecord(leaf)
      gather(leaves, by, found)
    },
    onFlaw(flaw) {
      found.flaw ??= flaw
    },
    onBytes,
  })
  let step = await walk.next()
  while (step.done !== true) step = await walk.next()
  const { unsigned, ...walked } = step.value
  for (const leaf of unsigned) countRecord(leaf)
  return {
    ...walked,
    ...found,
    beside: [...found.beside],
    unsealed: unsigned.length,
    unsealedRecords: unsigned.filter(isRecord).length,
    unsealedAtMs: unsigned.reduce((latest, leaf) => Math.max(latest, timeOf(leaf)), 0),
  }
}

/** Counts records, and repeats whose record readers cannot find. */
function createCounter(found: Gathered): (leaf: Leaf) => void {
  const repeats = createLostRepeats()
  return (leaf) => {
    if (leaf.kind === 'segment') repeats.begin()
    if (!isRecord(leaf)) return
    const { raw, hash, index } = leaf
    found.records++
    if (!repeats.isLost(raw.bytes, hash)) return
    const first = found.lost?.first ?? { file: raw.file, line: raw.line, index }
    found.lost = { count: (found.lost?.count ?? 0) + 1, first }
  }
}

function gather(leaves: readonly Leaf[], by: Signer, found: Gathered): void {
  if (by === 'successor') found.vouched += leaves.filter(isRecord).length
  for (const { meta } of leaves) {
    if (meta?.kind === 'segment') found.opening ??= meta
    else if (meta?.kind === 'retention') found.retired.push(meta)
    else if (meta?.kind === 'checkpoint') for (const log of meta.beside ?? []) found.beside.add(log)
    if (meta !== undefined && meta.kind !== 'unrecorded' && meta.kind !== 'shadow')
      found.signedAtMs = Math.max(found.signedAtMs, toMs(meta.time))
  }
  const last = leaves.findLast(isRecord)
  if (last !== undefined) found.signedAtMs = Math.max(found.signedAtMs, timeOf(last))
}

function isRecord({ kind }: Leaf): boolean {
  return kind === undefined
}

/** Returns the time of a record; 0 if it has none. */
function timeOf({ raw: { bytes } }: Leaf): number {
  const start = bytes.indexOf(timeStart)
  if (start === -1) return 0
  const from = start + timeStart.length
  return toMs(bytes.toString('latin1', from, from + timeLength))
}

function toMs(time: string | undefined): number {
  const ms = Date.parse(time ?? '')
  return Number.isNaN(ms) ? 0 : ms
}
