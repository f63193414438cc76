import { dirname, join, posix } from 'node:path'

/** How many workers a configuration can ask for. */
export const maxWorkers = 64

/** Where one of several workers keeps its log: a log has one writer. */
export function workerLog(directory: string, worker: number): string {
  return join(directory, `worker-${worker}`)
}

/** The audit directory in which a log's directory lies. */
export function auditDirectoryOf(directory: string, worker: number | undefined): string {
  return worker === undefined ? directory : dirname(directory)
}

/** The number of the worker whose folder has this name. `worker-02` and `worker-99` are no worker's. */
export function parseWorkerFolder(name: string): number | undefined {
  const digits = /^worker-([1-9]\d?)$/.exec(name)?.[1]
  return digits === undefined || Number(digits) > maxWorkers ? undefined : Number(digits)
}

/** How a log names another in the same audit directory: with its folder, if a worker wrote it. */
export function formatBeside(log: string, worker: number | undefined): string {
  return worker === undefined ? log : posix.join(workerLog('', worker), log)
}

/** The log that is named, and the worker in whose folder it lies. */
export function parseBeside(path: string): { readonly name: string; readonly worker: number | undefined } {
  return { name: posix.basename(path), worker: parseWorkerFolder(posix.dirname(path)) }
}
