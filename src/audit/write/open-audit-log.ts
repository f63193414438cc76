import { mkdirSync } from 'node:fs'
import { AuditLog } from './audit-log.ts'
import type { AuditLogOptions } from './audit-log-options.ts'
import { lockDirectory } from './directory-lock.ts'
import { AuditUnavailable } from './outage.ts'
import { isDiskFull, shrinkReserve } from './reserve.ts'

/** Opens the log: locks its directory and records how the previous log ended. Throws `AuditUnavailable`. */
export function openAuditLog(options: AuditLogOptions): AuditLog {
  try {
    return open(options)
  } catch (cause) {
    // A process that starts on a full disk must deny, not be absent. The previous process' reserve has room for that.
    if (isDiskFull(cause) && shrinkReserve(options.directory)) return open(options)
    throw new AuditUnavailable('the audit log could not be opened', { cause })
  }
}

function open(options: AuditLogOptions): AuditLog {
  mkdirSync(options.directory, { recursive: true, mode: 0o700 })
  const lock = lockDirectory(options.directory, Date.now())
  try {
    return new AuditLog(options, lock)
  } catch (cause) {
    lock[Symbol.dispose]()
    throw cause
  }
}
