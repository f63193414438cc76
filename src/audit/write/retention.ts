import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { RetentionLine } from '../format/meta-line.ts'
import { bySegmentAge, parseSegmentName, type SegmentName } from '../log/segment.ts'

/** How long segments are kept. An absent value means no limit. */
export type RetentionOptions = {
  /** Since the last write to a segment. */
  readonly ageMs: number | undefined
  /** Of all segments of the directory together. */
  readonly bytes: number | undefined
}

/** Segments to delete, and the meta line that records their deletion. */
type Retirement = { readonly meta: RetentionLine; readonly paths: readonly string[] }

type KeptFile = SegmentName & { readonly file: string; readonly bytes: number; readonly writtenAtMs: number }

/**
 * Removes expired segments. The removal is recorded and signed first. On a full disk it happens anyway and is recorded
 * later.
 */
export function retire(
  directory: string,
  current: string | undefined,
  options: RetentionOptions,
  nowMs: number,
  say: (meta: RetentionLine) => void,
): void {
  const retired = findRetired(directory, current, options, nowMs)
  if (retired === undefined) return
  say(retired.meta)
  for (const path of retired.paths) rmSync(path, { force: true })
}

/** Finds the segments to remove: the oldest first, never one with an older one remaining, and never `current`. */
function findRetired(
  directory: string,
  current: string | undefined,
  { ageMs, bytes }: RetentionOptions,
  nowMs: number,
): Retirement | undefined {
  if (ageMs === undefined && bytes === undefined) return undefined
  const files = filesOf(directory)
  let total = files.reduce((sum, file) => sum + file.bytes, 0)
  const retired: KeptFile[] = []
  for (const file of files) {
    const isOld = ageMs !== undefined && file.writtenAtMs + ageMs < nowMs
    const isTooMuch = bytes !== undefined && total > bytes
    if (join(directory, file.file) === current || !(isOld || isTooMuch)) break
    total -= file.bytes
    retired.push(file)
  }
  const last = retired.at(-1)
  if (last === undefined) return undefined
  const { epochMs, sequence } = last
  const removed = retired.map(({ file }) => file)
  const time = new Date(nowMs).toISOString()
  return {
    meta: { version: 1, kind: 'retention', time, removed, through: { epochMs, sequence } },
    paths: removed.map((file) => join(directory, file)),
  }
}

function filesOf(directory: string): readonly KeptFile[] {
  return readdirSync(directory)
    .flatMap((file) => {
      const name = parseSegmentName(file)
      const stats = name && statSync(join(directory, file), { throwIfNoEntry: false })
      return name && stats ? [{ ...name, file, bytes: stats.size, writtenAtMs: stats.mtimeMs }] : []
    })
    .sort(bySegmentAge)
}
