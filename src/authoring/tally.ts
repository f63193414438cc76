import type { DecisionRecord } from '../audit/format/record.ts'

/** The count of something, its first and last time, and one decision. */
export type Sightings = {
  readonly count: number
  /** ISO 8601, UTC. */
  readonly first: string
  readonly last: string
  /** The id of the first decision that was read. */
  readonly example: string
}

/** Values by key, with a maximum number, because a log may have gigabytes and callers choose some of the keys. */
export type Tally<T> = {
  /** Updates the value of a key. Above the limit a new key is only counted as cut. */
  readonly update: (key: readonly string[], change: (before: T | undefined) => T) => void
  readonly find: (key: readonly string[]) => T | undefined
  readonly values: () => readonly T[]
  readonly cut: () => number
}

/** Creates a tally with at most `limit` keys. */
export function createTally<T>(limit: number): Tally<T> {
  const entries = new Map<string, T>()
  let cut = 0
  return {
    update(parts, change) {
      const key = JSON.stringify(parts)
      const before = entries.get(key)
      if (before === undefined && entries.size >= limit) cut++
      else entries.set(key, change(before))
    },
    find: (parts) => entries.get(JSON.stringify(parts)),
    values: () => [...entries.values()],
    cut: () => cut,
  }
}

/** Adds one occurrence. Records of several replicas are unordered. */
export function sighted(
  before: Sightings | undefined,
  { time, decisionId }: Pick<DecisionRecord, 'time' | 'decisionId'>,
): Sightings {
  const at = toUtc(time)
  const once = { count: 1, first: at, last: at, example: decisionId }
  return before === undefined ? once : together([before, once])
}

/** Combines at least one count of several things. */
export function together(all: readonly Sightings[]): Sightings {
  return all.reduce((sum, { count, first, last }) => ({
    count: sum.count + count,
    first: earlier(first, sum.first),
    last: earlier(last, sum.last) === last ? sum.last : last,
    example: sum.example,
  }))
}

function earlier(a: string, b: string): string {
  if (a < b) return a
  return b
}

/** Formats a time in UTC, so that texts compare like times; other writers may use other zones. */
function toUtc(time: string): string {
  const timeMs = time.length === 24 && time.endsWith('Z') ? Number.NaN : Date.parse(time)
  return Number.isNaN(timeMs) ? time : new Date(timeMs).toISOString()
}
