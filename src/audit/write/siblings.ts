import type { KeyObject } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { auditDirectoryOf, formatBeside, parseWorkerFolder, workerLog } from '../log/worker-logs.ts'
import { findSignedLog } from './predecessor.ts'

/**
 * Finds the last log of each other folder of the audit directory, as far as this key has signed it. These are the log
 * from before there were workers, and those of workers, including workers that are no longer used.
 */
export function findBeside(
  directory: string,
  worker: number | undefined,
  publicKey: KeyObject,
): readonly string[] {
  const root = auditDirectoryOf(directory, worker)
  const folders = readdirSync(root, { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? (parseWorkerFolder(entry.name) ?? []) : []))
    .sort((one, other) => one - other)
  const others = [undefined, ...folders].filter((other) => other !== worker)
  return others.flatMap((other) => {
    const log = findSignedLog(other === undefined ? root : workerLog(root, other), publicKey)
    return log === undefined ? [] : [formatBeside(log, other)]
  })
}
