import type { Checkpoint } from '../format/checkpoint.ts'
import { groupBy } from '../format/group.ts'

/** Checkpoints of one log that were kept elsewhere. */
export type Exported = {
  readonly all: readonly Checkpoint[]
  /** Returns the checkpoints over this many lines. */
  readonly of: (size: number) => readonly Checkpoint[]
}

/** Groups checkpoints by log. The end of an origin is the log's name. */
export function groupExported(checkpoints: readonly Checkpoint[]): (log: string) => Exported {
  const logs = groupBy(checkpoints, ({ origin }) => logOf(origin))
  return (log) => toExported(logs.get(log) ?? [])
}

/** Returns the log's name from an origin. */
export function logOf(origin: string): string {
  return origin.slice(origin.lastIndexOf('/') + 1)
}

function toExported(all: readonly Checkpoint[]): Exported {
  const sizes = groupBy(all, ({ size }) => size)
  return { all, of: (size) => sizes.get(size) ?? [] }
}
