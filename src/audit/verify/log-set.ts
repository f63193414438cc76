import { groupBy } from '../format/group.ts'
import type { RetentionLine } from '../format/meta-line.ts'
import type { OpenLog } from './open-logs.ts'
import type { LogVerdict } from './verify-log.ts'

/** A log, what its files amount to, and when its end was read. */
export type ReadLog = OpenLog & { readonly verdict: LogVerdict; readonly readAtMs: number }

/** Logs that are verified together. */
export type LogSet = {
  readonly logs: readonly ReadLog[]
  readonly byName: ReadonlyMap<string, ReadLog>
  /** The logs of one writer, linked by what each says of the one before. */
  readonly chainOf: (log: ReadLog) => readonly ReadLog[]
  readonly nowMs: number
  /** The moment up to which all logs should reach; `undefined` for the newest of them. */
  readonly asOfMs: number | undefined
  /** The latest time that any of the logs has signed. */
  readonly newestMs: number
}

/** Puts logs together. */
export function createLogSet(
  logs: readonly ReadLog[],
  { nowMs, asOfMs }: Pick<LogSet, 'nowMs' | 'asOfMs'>,
): LogSet {
  const byName = new Map(logs.map((log) => [log.log, log]))
  const roots = new Map<string, string>()
  // Oldest first, so that the log that one follows has its chain before it.
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

/** Whether any signature covers the log. */
export function isSigned({ verdict: { checkpoint, isVouched } }: ReadLog): boolean {
  return checkpoint !== undefined || isVouched
}

/** Whether retention, by the signed word of these logs, removed everything up to there. */
export function isThrough(logs: readonly ReadLog[], epochMs: number, sequence: number): boolean {
  return retiredBy(logs).some(
    ({ through }) =>
      through.epochMs > epochMs || (through.epochMs === epochMs && through.sequence >= sequence),
  )
}

/** Whether these logs of one writer say that retention removed all of a log. */
export function isRemoved(logs: readonly ReadLog[], name: string): boolean {
  // Only the log that came after it says which segment was its last; without that, what is younger must have been removed, too.
  const after = logs.find(({ opening }) => opening?.follows?.log === name)
  return isThrough(logs, epochOf(name), after?.opening?.follows?.sequence ?? Number.MAX_SAFE_INTEGER)
}

/** What retention removed, by the signed word of these logs. */
export function retiredBy(logs: readonly ReadLog[]): readonly RetentionLine[] {
  return logs.flatMap(({ verdict }) => verdict.retired)
}

/** When a log began, by its name. */
export function epochOf(log: string): number {
  return Number(/-(\d+)$/.exec(log)?.[1] ?? Number.NaN)
}

/** The machine or pod that wrote a log: its name without process and time. */
export function hostOf(log: string): string {
  return log.replace(/-\d+$/, '').replace(/-\d+$/, '')
}
