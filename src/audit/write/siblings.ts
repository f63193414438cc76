import type { KeyObject } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { auditDirectoryOf, formatBeside, parseWorkerFolder, workerLog } from '../log/worker-logs.ts'
import { findSignedLog } from './predecessor.ts'

/**
 * The last log of each other folder of the audit directory, as far as our key has signed it: of the process that decided alone
 * before there were workers, and of workers, those included whose number is no longer used.
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
