import type { AuditLog } from '../audit/audit-log.ts'
import { AuditUnavailable } from '../audit/outage.ts'
import type { CheckDeps } from '../check/check.ts'

/** Has what a check knows recorded, and says whether that was kept in time. */
export function createRecorder(audit: Pick<AuditLog, 'append'>): CheckDeps['record'] {
  return (parts, deadlineMs) => {
    try {
      const written = audit.append(parts)
      return written === undefined ? true : isKeptBy(deadlineMs, written)
    } catch (cause) {
      return isRefused(cause)
    }
  }
}

/** The log has told the operator; anything else is a fault of ours, and refused as one. */
function isRefused(cause: unknown): false {
  if (cause instanceof AuditUnavailable) return false
  throw cause
}

/** Whether the record was on the disk in time; an answer that waits for a slow disk would find nobody. */
function isKeptBy(deadlineMs: number, written: Promise<void>): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(false), Math.max(0, deadlineMs - Date.now()))
    written
      .then(() => true, isRefused)
      .then(resolve, reject)
      .finally(() => clearTimeout(timer))
  })
}
