import { groupBy } from '../format/group.ts'
import type { RetentionLine } from '../format/meta-line.ts'
import type { OpenLog } from './open-logs.ts'
import type { LogVerdict } from './verify-log.ts'

/** A log, the result of its verification, and the time when its end was read. */
export type ReadLog = OpenLog & { readonly verdict: LogVerdict; readonly readAtMs: number }

/** Logs that are verified together. */
export type LogSet = {
  readonly logs: readonly ReadLog[]
  readonly byName: ReadonlyMap<string, ReadLog>
  /** The logs of one writer, linked by their references to the previous log. */
  readonly chainOf: (log: ReadLog) => readonly ReadLog[]
  readonly nowMs: number
  /** The time that all logs should reach; `undefined` for the newest log. */
  readonly asOfMs: number | undefined
  /** The latest signed time of all logs. */
  readonly newestMs: number
}

/** Creates a log set. */
export function createLogSet(
  logs: readonly ReadLog[],
  { nowMs, asOfMs }: Pick<LogSet, 'nowMs' | 'asOfMs'>,
): LogSet {
  const byName = new Map(logs.map((log) => [log.log, log]))
  const roots = new Map<string, string>()
  // Oldest first, so that a previous log has its chain before the next one needs it.
  for (const { log, opening } of logs) {
    const before = opening?.follows?.log
    roots.set(log, before === undefined ? log : (roots.get(before) ?? before))
  }
  const chains = groupBy(logs, ({ log }) => roots.get(log))
  const newestMs = logs.reduce((newest, { verdict }) => Math.max(newest, verdict.signedAtMs), 0)
  return {
    ...{ logs, byName, nowMs, asOfMs, newestMs },
    chainOf: (log) => chains.get(roots.get(log.log)) ?? [log],
  }
}

/** True if any signature covers the log. */
export function isSigned({ verdict: { checkpoint, isVouched } }: ReadLog): boolean {
  return checkpoint !== undefined || isVouched
}

/** True if signed lines of these logs record the removal of everything up to this segment. */
export function isThrough(logs: readonly ReadLog[], epochMs: number, sequence: number): boolean {
  return retiredBy(logs).some(
    ({ through }) =>
      through.epochMs > epochMs || (through.epochMs === epochMs && through.sequence >= sequence),
  )
}

/** True if these logs of one writer record the removal of the whole log. */
export function isRemoved(logs: readonly ReadLog[], name: string): boolean {
  // Only the next log says which segment was its last. Without it, everything younger must have been removed too.
  const after = logs.find(({ opening }) => opening?.follows?.log === name)
  return isThrough(logs, epochOf(name), after?.opening?.follows?.sequence ?? Number.MAX_SAFE_INTEGER)
}

/** The removals by retention that these logs signed. */
export function retiredBy(logs: readonly ReadLog[]): readonly RetentionLine[] {
  return logs.flatMap(({ verdict }) => verdict.retired)
}

/** Returns the start time of a log, from its name. */
export function epochOf(log: string): number {
  return Number(/-(\d+)$/.exec(log)?.[1] ?? Number.NaN)
}

/** Returns the machine or pod that wrote a log: its name without process and time. */
export function hostOf(log: string): string {
  return log.replace(/-\d+$/, '').replace(/-\d+$/, '')
}
