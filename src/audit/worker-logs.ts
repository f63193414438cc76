import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

const workerFolder = /^worker-(\d{1,2})$/
const stdin = '-'

/** Where one of several workers keeps its log: a log has one writer. */
export function workerLog(directory: string, worker: number): string {
  return join(directory, `worker-${worker}`)
}

/** The path itself; of a directory below which workers write, each one's log too, and its own if it has one. */
export async function logsOf(path: string): Promise<readonly string[]> {
  if (path === stdin || !(await stat(path)).isDirectory()) return [path]
  const names = await readdir(path)
  const workers = names
    .flatMap((name) => workerFolder.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((one, other) => one - other)
  const isLog = workers.length === 0 || names.some((name) => name.endsWith('.ndjson'))
  return [...(isLog ? [path] : []), ...workers.map((worker) => workerLog(path, worker))]
}
