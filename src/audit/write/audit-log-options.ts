import { writeSync } from 'node:fs'
import type { Report } from '../../base/model/event.ts'
import type { Pseudonymize } from '../format/pseudonym.ts'
import { openLogKey } from '../log/log-key.ts'
import { maxEpochMs, type WriteBytes } from '../log/segment.ts'
import { findPredecessor } from './predecessor.ts'
import type { RetentionOptions } from './retention.ts'
import type { SealedLogOptions } from './sealed-log.ts'
import { findBeside } from './siblings.ts'

/**
 * When the answer may be sent: `written`: the record is in the kernel; `durable`: it is on disk; `buffered`: it is in
 * this process' memory.
 */
export type AuditMode = 'written' | 'durable' | 'buffered'

/** Options of the audit log. */
export type AuditLogOptions = {
  readonly directory: string
  readonly mode: AuditMode
  /** True if each record also goes to standard output, for the cluster's log pipeline. */
  readonly stdout: boolean
  /** Names this replica in file names: letters, digits, `.`, `_`, `-`. */
  readonly origin: string
  readonly report: Report
  /** The authority of the log; the prefix of its name in checkpoints. */
  readonly authority?: string
  /** The file of the Ed25519 key for checkpoints; created in the directory if absent. */
  readonly key?: string | undefined
  readonly retention?: RetentionOptions
  /** Replaces the users' ids in records; absent if records have the ids. */
  readonly pseudonymize?: Pseudonymize | undefined
  /** The number of the worker that writes the log; `undefined` without workers. */
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

/** Options of the log itself, with defaults, continuing from the logs in the directory. */
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
    // A host name must not add a path separator, and readers would skip a hidden file.
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
