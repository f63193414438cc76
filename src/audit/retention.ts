import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { RetentionMark } from './mark.ts'
import { bySegmentAge, parseSegmentName, type SegmentName } from './segment.ts'

/** How long segments are kept; what is absent sets no limit. */
export type RetentionOptions = {
  /** Since a segment was last written to. */
  readonly ageMs: number | undefined
  /** Of all segments of the directory together. */
  readonly bytes: number | undefined
}

/** Segments that may go, and the mark that says so. */
export type Retirement = { readonly mark: RetentionMark; readonly paths: readonly string[] }

type KeptFile = SegmentName & { readonly file: string; readonly bytes: number; readonly writtenAtMs: number }

/** What retention would remove: the oldest segments, never one behind which an older one stays, and never `current`. */
export function findRetired(
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
    mark: { version: 1, kind: 'retention', time, removed, through: { epochMs, sequence } },
    paths: removed.map((file) => join(directory, file)),
  }
}

/** Removes what was found; a file that resists is found again the next time. */
export function removeRetired({ paths }: Retirement): void {
  for (const path of paths) rmSync(path, { force: true })
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
