import { readdirSync, readFileSync, readlinkSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { isAbsent, isErrno } from '../../base/model/fault.ts'

/** Held by the only writer of a directory. */
export type DirectoryLock = Disposable & {
  /** Shows that the holder is alive. Call it at least every few seconds. */
  readonly refresh: () => void
}

/** Another process writes to the directory. */
export class DirectoryTaken extends Error {
  override readonly name = 'DirectoryTaken'
  readonly code = 'directory_taken'
}

type Holder = {
  readonly host: string
  readonly space: string
  readonly pid: number
  readonly started: string
}

const staleMs = 15_000
const prefix = 'lock.'
const unknownSpace = ''

/**
 * Locks the directory, or throws `DirectoryTaken`. Each lock has its own number and is created exclusively. If two
 * processes both find the last holder dead, only one can create the next number. It also throws if it cannot determine
 * whether the last holder is alive, because a fault must never lead to two writers.
 */
export function lockDirectory(directory: string, nowMs: number): DirectoryLock {
  const last = Math.max(0, ...numbersIn(directory))
  if (last > 0 && isAlive(join(directory, `${prefix}${last}`), nowMs))
    throw new DirectoryTaken(takenBy(directory, last))
  const path = join(directory, `${prefix}${last + 1}`)
  try {
    writeFileSync(path, JSON.stringify(self()), { flag: 'wx', mode: 0o600 })
  } catch (cause) {
    if (!isErrno(cause, 'EEXIST')) {
      // On a full disk the file exists without its content.
      rmSync(path, { force: true })
      throw cause
    }
    throw new DirectoryTaken(takenBy(directory, last + 1), { cause })
  }
  const numbers = numbersIn(directory)
  if (Math.max(...numbers) > last + 1) {
    rmSync(path, { force: true })
    throw new DirectoryTaken(takenBy(directory, Math.max(...numbers)))
  }
  for (const number of numbers)
    if (number <= last) rmSync(join(directory, `${prefix}${number}`), { force: true })
  return {
    refresh() {
      try {
        const now = new Date()
        utimesSync(path, now, now)
      } catch {
        // The lock was removed, or the disk fails. Segment files are still exclusive by their names.
      }
    },
    [Symbol.dispose]() {
      try {
        rmSync(path, { force: true })
      } catch {
        // The directory is gone or fails. A lock that cannot be reached cannot keep others out.
      }
    },
  }
}

function numbersIn(directory: string): readonly number[] {
  return readdirSync(directory).flatMap((name) => {
    const digits = /^lock\.(\d{1,12})$/.exec(name)?.[1]
    return digits === undefined ? [] : [Number(digits)]
  })
}

function isAlive(path: string, nowMs: number): boolean {
  const holder = readHolder(path)
  const own = self()
  // The number is created before its content is written. So a lock without complete content counts as held while it is
  // fresh.
  if (holder === undefined || holder.host !== own.host) return isFresh(path, nowMs)
  // The same host name with another process space is a container that this one replaced.
  const isKnown = holder.space !== unknownSpace && own.space !== unknownSpace
  if (isKnown && holder.space !== own.space) return false
  const started = startOf(holder.pid)
  const isHidden = started === 'hidden' || holder.started === 'hidden'
  return isHidden ? isFresh(path, nowMs) : started === holder.started
}

/** A live holder refreshes its lock. */
function isFresh(path: string, nowMs: number): boolean {
  return nowMs - modifiedAtMs(path) < staleMs
}

function self(): Holder {
  return { host: hostname(), space: processSpace(), pid: process.pid, started: startOf(process.pid) ?? '' }
}

/**
 * Returns the start time of a process as the kernel reports it; `undefined` if there is none, `hidden` if the kernel
 * hides it. A pid alone may belong to another process by now.
 */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return state === 'Z' || state === 'X' ? undefined : fields[18]
  } catch (cause) {
    if (isErrno(cause, 'EACCES') || isErrno(cause, 'EPERM')) return 'hidden'
    // Reading a process that is just ending gives ESRCH.
    if (isAbsent(cause) || isErrno(cause, 'ESRCH')) return signalReaches(pid) ? '' : undefined
    throw cause
  }
}

/** Used where there is no /proc. */
function signalReaches(pid: number): boolean {
  try {
    return process.platform !== 'linux' && process.kill(pid, 0)
  } catch (cause) {
    return isErrno(cause, 'EPERM')
  }
}

function processSpace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch (cause) {
    // There is no /proc, or it is not readable.
    if (isAbsent(cause) || isErrno(cause, 'EACCES') || isErrno(cause, 'EPERM')) return unknownSpace
    throw cause
  }
}

/** Reads the holder from a lock; `undefined` if the lock is gone or incomplete. */
function readHolder(path: string): Holder | undefined {
  const text = readLock(path)
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null) return undefined
    const isHolder =
      'host' in value &&
      'space' in value &&
      'pid' in value &&
      'started' in value &&
      Number.isInteger(value.pid)
    if (!isHolder) return undefined
    return {
      host: String(value.host),
      space: String(value.space),
      pid: Number(value.pid),
      started: String(value.started),
    }
  } catch {
    return undefined
  }
}

function readLock(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    if (isAbsent(cause)) return ''
    throw cause
  }
}

function modifiedAtMs(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
}

function takenBy(directory: string, number: number): string {
  const holder = readHolder(join(directory, `${prefix}${number}`))
  const whom = holder === undefined ? 'another process' : `process ${holder.pid} on ${holder.host}`
  return `\`${directory}\` belongs to ${whom}; give every process an audit directory of its own`
}
