import type { AuditLog } from '../audit/write/audit-log.ts'
import { AuditUnavailable } from '../audit/write/outage.ts'
import type { MaybePromise } from '../base/model/maybe-promise.ts'
import type { RecordParts } from '../base/model/record-parts.ts'
import type { Config } from '../config/config.ts'
import type { CheckShell } from '../decision/check/check.ts'
import { byDeadline } from './by-deadline.ts'

type Log = Pick<AuditLog, 'append' | 'tryAppendAll'>

/**
 * Records checks, and reports whether each record was written in time. All listeners share it, so that they share its
 * writes.
 */
export function createRecorder(log: Log, { mode }: Pick<Config['audit'], 'mode'>): CheckShell['record'] {
  const gather = createGathering(log)
  return (parts, by) => {
    if (mode === 'written' && by !== 'now') return gather(parts)
    const kept = keep(log, parts)
    return kept instanceof Promise && by !== 'now' ? byDeadline(kept, by, () => false) : kept
  }
}

type Waiting = {
  readonly parts: RecordParts
  readonly resolve: (isKept: MaybePromise<boolean>) => void
  readonly reject: (cause: unknown) => void
}

/** The maximum number of records in one write: about as many as one read of a connection brings. */
const maxGathered = 64

/**
 * Writes the records of one turn of the event loop together, because a write costs the kernel as much as everything else
 * about a record. If that fails, each record is tried alone, so that one answer never depends on another's record.
 */
function createGathering(log: Log): (parts: RecordParts) => Promise<boolean> {
  let gathered: Waiting[] = []
  const write = () => {
    const batch = gathered
    gathered = []
    if (batch.length === 0) return
    const areKept = areKeptTogether(log, batch)
    for (const waiting of batch) {
      if (areKept) waiting.resolve(true)
      else settle(log, waiting)
    }
  }
  return (parts) =>
    new Promise((resolve, reject) => {
      gathered.push({ parts, resolve, reject })
      if (gathered.length === 1) setImmediate(write)
      else if (gathered.length === maxGathered) write()
    })
}

/** A fault is reported when its record is tried alone. It must not leave the others without an answer. */
function areKeptTogether(log: Log, batch: readonly Waiting[]): boolean {
  try {
    return log.tryAppendAll(batch.map(({ parts }) => parts))
  } catch {
    return false
  }
}

function settle(log: Log, { parts, resolve, reject }: Waiting): void {
  try {
    resolve(keep(log, parts))
  } catch (cause) {
    reject(cause)
  }
}

function keep(log: Log, parts: RecordParts): MaybePromise<boolean> {
  try {
    return log.append(parts)?.then(() => true, isRefused) ?? true
  } catch (cause) {
    return isRefused(cause)
  }
}

/** The log has reported the refusal. Any other error is a bug; it is reported, and the check refused. */
function isRefused(cause: unknown): false {
  if (cause instanceof AuditUnavailable) return false
  throw cause
}
