import { type Fault, isFault } from '../../base/model/fault.ts'

type Failed = { readonly name: string; readonly fault: Fault; readonly atMs: number; readonly waitMs: number }

// An attempt that runs into its limit costs minutes of a core: a fifth of a core is what repeating it may cost.
const waitFactor = 4

/**
 * Spaces attempts at one thing that fail for a reason outside of it. One that failed at once is repeated as soon as it is
 * asked for; one that took long is answered with its fault until some multiple of that time has passed.
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

/** Whether a time has not passed yet; of a clock that was set back nothing is known. */
function isWithin(elapsedMs: number, ms: number): boolean {
  return elapsedMs >= 0 && elapsedMs < ms
}
