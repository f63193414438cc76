import * as v from 'valibot'
import { type Invalid, invalid } from '../../base/model/invalid.ts'
import { frontierLength, type Hash, parseHash } from './merkle.ts'
import { type ShadowLine, shadowLine } from './shadow-line.ts'

/** The first line of a segment: its position in the log, and the state of the log before it. */
export type SegmentLine = {
  readonly version: 1
  readonly kind: 'segment'
  readonly time: string
  /** The log's name in file names and checkpoints. */
  readonly log: string
  readonly origin: string
  readonly sequence: number
  /** The number of lines of the log before this one, and the roots of their whole subtrees (base64, RFC 6962). */
  readonly size: number
  readonly frontier: readonly string[]
  /** The previous segment of the log and its size in bytes. `torn`: bytes after that could not be cut off. */
  readonly after?:
    | { readonly sequence: number; readonly bytes: number; readonly torn?: true | undefined }
    | undefined
  /** The log that this writer found in its directory, as it ended. */
  readonly follows?: FoundLog | undefined
  /**
   * While the writer runs, checkpoints are at most this far apart. Absent in logs of older versions, which did not
   * promise it.
   */
  readonly sealsEverySeconds?: number | undefined
  /** The number of the worker that writes the log. */
  readonly worker?: number | undefined
}

/** A log as its successor found it. `torn`: bytes after the last line, because the writer was killed during a write. */
export type FoundLog = {
  readonly log: string
  readonly sequence: number
  readonly size: number
  readonly root: string
  readonly torn?: Torn | undefined
  /** Later segments of that log without a whole line. */
  readonly behind?: readonly (Torn & { readonly sequence: number })[] | undefined
}

/** The bytes of an unfinished line. */
export type Torn = { readonly bytes: number; readonly sha256: string }

/**
 * A signed checkpoint over all lines before it. `leaves` are their hashes since the previous checkpoint (base64); they
 * show which line was changed. The note does not sign its own line: `time`, `end` and `beside` are proven by the next
 * checkpoint.
 */
export type CheckpointLine = {
  readonly version: 1
  readonly kind: 'checkpoint'
  readonly note: string
  readonly leaves: string
  readonly time?: string | undefined
  /** The writer closes the log. Only one more checkpoint follows. */
  readonly end?: true | undefined
  /** Logs in other folders of the same audit directory: the logs of other workers. */
  readonly beside?: readonly string[] | undefined
}

/** Records a removal by retention: all segments up to and including `through`, in order of age. */
export type RetentionLine = {
  readonly version: 1
  readonly kind: 'retention'
  readonly time: string
  readonly removed: readonly string[]
  readonly through: { readonly epochMs: number; readonly sequence: number }
}

/** Denials that were answered while nothing could be written, not even from the reserve. */
export type UnrecordedLine = {
  readonly version: 1
  readonly kind: 'unrecorded'
  readonly since: string
  readonly until: string
  readonly denials: number
}

/** A line that a log writes about itself, between its records. */
export type MetaLine = SegmentLine | CheckpointLine | RetentionLine | UnrecordedLine | ShadowLine

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const version = v.literal(1)
const torn = { bytes: count, sha256: v.string() }
const ownMetaLine: v.GenericSchema<unknown, Exclude<MetaLine, ShadowLine>> = v.variant('kind', [
  v.object({
    version,
    kind: v.literal('segment'),
    time: v.string(),
    log: v.string(),
    origin: v.string(),
    sequence: count,
    size: count,
    frontier: v.array(v.string()),
    after: v.optional(v.object({ sequence: count, bytes: count, torn: v.optional(v.literal(true)) })),
    follows: v.optional(
      v.object({
        log: v.string(),
        sequence: count,
        size: count,
        root: v.string(),
        torn: v.optional(v.object(torn)),
        behind: v.optional(v.array(v.object({ sequence: count, ...torn }))),
      }),
    ),
    sealsEverySeconds: v.optional(count),
    worker: v.optional(count),
  }),
  v.object({
    version,
    kind: v.literal('checkpoint'),
    note: v.string(),
    leaves: v.string(),
    time: v.optional(v.string()),
    end: v.optional(v.literal(true)),
    beside: v.optional(v.array(v.string())),
  }),
  v.object({
    version,
    kind: v.literal('retention'),
    time: v.string(),
    removed: v.array(v.string()),
    through: v.object({ epochMs: count, sequence: count }),
  }),
  v.object({
    version,
    kind: v.literal('unrecorded'),
    since: v.string(),
    until: v.string(),
    denials: count,
  }),
])
const meta: v.GenericSchema<unknown, MetaLine> = v.union([ownMetaLine, shadowLine])

const metaStart = /^\{"version":1,"kind":"(segment|checkpoint|retention|unrecorded|shadow)"/
const startBytes = 48

/** The kind of a meta line, by its first bytes; `undefined` for a record or anything else. */
export function metaKindOf(line: Buffer): MetaLine['kind'] | undefined {
  // Two bytes identify nearly all records: the version of a repeat, and the first letter of the kind `decision`.
  if (line[11] !== 0x31 || line[21] === 0x64) return undefined
  const kind = metaStart.exec(line.toString('latin1', 0, startBytes))?.[1]
  return metaKinds.find((known) => known === kind)
}

const metaKinds = ['segment', 'checkpoint', 'retention', 'unrecorded', 'shadow'] as const

/** Parses a line that `metaKindOf` recognized. */
export function parseMetaLine(line: Buffer): MetaLine | Invalid {
  try {
    const parsed = v.safeParse(meta, JSON.parse(line.toString()))
    if (parsed.success) return parsed.output
  } catch {
    // Not JSON, so not a meta line.
  }
  return invalid('meta line: expected kind segment, checkpoint, retention, unrecorded or shadow, version 1')
}

/** Returns the roots before a segment; `undefined` if they do not fit a tree of that size. */
export function frontierOf({ size, frontier }: SegmentLine): readonly Hash[] | undefined {
  const hashes = frontier.flatMap((root) => parseHash(root) ?? [])
  return hashes.length === frontier.length && hashes.length === frontierLength(size) ? hashes : undefined
}

/** The meta line as JSON, newline included. */
export function formatMetaLine(each: MetaLine): string {
  return `${JSON.stringify(each)}\n`
}
