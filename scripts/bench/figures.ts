import { readFileSync } from 'node:fs'

/** The figures of a load generator; latencies in microseconds. */
export type Load = {
  readonly calls: number
  readonly seconds: number
  readonly p50: number
  readonly p99: number
  readonly p999: number
}

/** The cost of one run for the server, and the latencies of its callers; times in microseconds. */
export type Figures = {
  readonly perSecond: number
  /** Processor time of the server, all its threads and workers, for each call. */
  readonly cpu: number
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly rssMib: number
}

const ticksPerSecond = 100
const pageBytes = 4096

/** Runs a load against a process and those that it has started, and says what it cost them. */
export async function measure(pid: number, run: () => Promise<Load>): Promise<Figures> {
  const pids = withChildren(pid)
  const before = sumOf(pids, cpuSeconds)
  const { calls, seconds, p50, p99, p999 } = await run()
  const cpu = ((sumOf(pids, cpuSeconds) - before) * 1e6) / calls
  return { perSecond: calls / seconds, cpu, p50, p99, p999, rssMib: sumOf(pids, rssMib) }
}

function withChildren(pid: number): readonly number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ')
  return [pid, ...children.filter((child) => child !== '').map(Number)]
}

function sumOf(pids: readonly number[], figureOf: (pid: number) => number): number {
  return pids.reduce((sum, pid) => sum + figureOf(pid), 0)
}

/** Each figure's median over several runs. */
export function medianOf(runs: readonly Figures[]): Figures {
  const pick = (key: keyof Figures) => median(runs.map((run) => run[key]))
  return {
    perSecond: pick('perSecond'),
    cpu: pick('cpu'),
    p50: pick('p50'),
    p99: pick('p99'),
    p999: pick('p999'),
    rssMib: pick('rssMib'),
  }
}

/** The middle of some numbers. */
export function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN
}

/** A quantile of sorted numbers. */
export function quantile(sorted: ArrayLike<number>, of: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(of * sorted.length))] ?? Number.NaN
}

/** Memory that a process keeps, in MiB. */
export function rssMib(pid: number): number {
  return (Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * pageBytes) / 1024 ** 2
}

/** Processor time that a process has used so far, in user and kernel mode. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name, in parentheses, may hold anything; after it, `utime` and `stime` are the 12th and 13th field.
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
  return (Number(user) + Number(system)) / ticksPerSecond
}
