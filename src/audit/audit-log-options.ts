import type { Report } from '../model/event.ts'
import type { RetentionOptions } from './retention.ts'
import type { WriteBytes } from './segment.ts'

/** When an answer may leave: `written`: its record is in the kernel, `durable`: on the disk, `buffered`: in our memory. */
export type AuditMode = 'written' | 'durable' | 'buffered'

/** How the log is kept. */
export type AuditLogOptions = {
  readonly directory: string
  readonly mode: AuditMode
  /** Whether each record also goes to standard output, for the cluster's log pipeline. */
  readonly stdout: boolean
  /** Names this replica in file names: letters, digits, `.`, `_`, `-`. */
  readonly origin: string
  readonly report: Report
  /** Who answers for the log; stands before its name in checkpoints. */
  readonly authority?: string
  /** File of the Ed25519 key that signs checkpoints; made in the directory when absent. */
  readonly key?: string | undefined
  readonly retention?: RetentionOptions
  readonly maxSegmentBytes?: number
  readonly reserveBytes?: number
  readonly sealEvery?: number
  readonly epochMs?: number
  readonly write?: WriteBytes
  readonly sync?: (fd: number) => Promise<void>
}
