import { dirname, join, posix } from 'node:path'

/** The maximum number of workers in a configuration. */
export const maxWorkers = 64

/** Returns the directory of a worker's log, because each log has one writer. */
export function workerLog(directory: string, worker: number): string {
  return join(directory, `worker-${worker}`)
}

/** Returns the audit directory that contains a log's directory. */
export function auditDirectoryOf(directory: string, worker: number | undefined): string {
  return worker === undefined ? directory : dirname(directory)
}

/** Parses the name of a worker's folder. `worker-02` and `worker-99` are not valid. */
export function parseWorkerFolder(name: string): number | undefined {
  const digits = /^worker-([1-9]\d?)$/.exec(name)?.[1]
  return digits === undefined || Number(digits) > maxWorkers ? undefined : Number(digits)
}

/** Formats a reference to another log in the same audit directory, with its folder if a worker wrote it. */
export function formatBeside(log: string, worker: number | undefined): string {
  return worker === undefined ? log : posix.join(workerLog('', worker), log)
}

/** Parses such a reference: the log's name, and the worker whose folder holds it. */
export function parseBeside(path: string): { readonly name: string; readonly worker: number | undefined } {
  return { name: posix.basename(path), worker: parseWorkerFolder(posix.dirname(path)) }
}
