import { writeSync } from 'node:fs'
import type { Report } from '../../base/model/event.ts'
import type { Pseudonymize } from '../format/pseudonym.ts'
import { openLogKey } from '../log/log-key.ts'
import { maxEpochMs, type WriteBytes } from '../log/segment.ts'
import { findPredecessor } from './predecessor.ts'
import type { RetentionOptions } from './retention.ts'
import type { SealedLogOptions } from './sealed-log.ts'
import { findBeside } from './siblings.ts'

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
  /** How records name users; absent by their ids. */
  readonly pseudonymize?: Pseudonymize | undefined
  /** Which of several workers writes the log; `undefined` for a process that decides alone. */
  readonly worker?: number | undefined
  readonly maxSegmentBytes?: number
  readonly reserveBytes?: number
  readonly sealEvery?: number
  readonly epochMs?: number
  readonly nowMs?: () => number
  readonly write?: WriteBytes
  readonly sync?: (fd: number) => Promise<void>
}

const maxSegmentBytes = 64 * 1024 * 1024
const sealEvery = 1000

/** How the log itself is written: what is not said is as it should be, and it goes on from what lies in the directory. */
export function toSealedLogOptions(
  options: AuditLogOptions,
  hooks: Pick<SealedLogOptions, 'onSealed' | 'onRotated'>,
): SealedLogOptions {
  const key = openLogKey(options.directory, options.key)
  const before = findPredecessor(options.directory, key.publicKey)
  const earliestMs = before === undefined || before.epochMs >= maxEpochMs ? 0 : before.epochMs + 1
  return {
    ...hooks,
    directory: options.directory,
    // No path separator may come in by a host name, and a hidden file would escape the reader.
    origin: options.origin.replace(/[^A-Za-z0-9._-]/g, '_').replace(/^\.+/, '_'),
    epochMs: options.epochMs ?? Math.max(Date.now(), earliestMs),
    authority: `${options.authority ?? 'waywarden'}/audit`,
    key,
    follows: before?.found,
    worker: options.worker,
    beside: findBeside(options.directory, options.worker, key.publicKey),
    maxSegmentBytes: options.maxSegmentBytes ?? maxSegmentBytes,
    sealEvery: options.sealEvery ?? sealEvery,
    write: options.write ?? writeSync,
    nowMs: options.nowMs ?? Date.now,
  }
}
