import { type Fault, isFault } from '../../base/model/fault.ts'

type Failed = { readonly name: string; readonly fault: Fault; readonly atMs: number; readonly waitMs: number }

// An attempt that reaches its limit costs minutes of CPU. Retries may cost a fifth of a core.
const waitFactor = 4

/**
 * Spaces repeated attempts that fail for a reason outside of their input. A fast failure is retried at the next call.
 * After a slow one, calls return its fault until a multiple of its duration has passed.
 */
export function spaceAttempts(
  nowMs: () => number,
): <T extends object>(name: string, attempt: () => Promise<T | Fault>) => Promise<T | Fault> {
  let last: Failed | undefined
  return async (name, attempt) => {
    const startedMs = nowMs()
    if (last?.name === name && isWithin(startedMs - last.atMs, last.waitMs)) return last.fault
    const result = await attempt()
    const atMs = nowMs()
    const waitMs = waitFactor * Math.max(0, atMs - startedMs)
    last = isFault(result) ? { name, fault: result, atMs, waitMs } : undefined
    return result
  }
}

/** True if a time has not passed yet; false if the clock was set back. */
function isWithin(elapsedMs: number, ms: number): boolean {
  return elapsedMs >= 0 && elapsedMs < ms
}
