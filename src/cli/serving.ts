import { setFlagsFromString } from 'node:v8'
import { describeError, type Terminal } from './terminal.ts'

/**
 * Sets the engine up to answer requests. A collection of young garbage would wait for helper threads, which on few or
 * limited cores wait for their turn: for all of these milliseconds no request is answered, while one thread is done in half
 * of one.
 */
export function setUpEngine(): void {
  setFlagsFromString('--no-parallel-scavenge')
}

/** Prints why a server could not start, one line a problem: whoever starts one wants to fix everything at once. */
export function complainAboutStart(error: unknown, terminal: Terminal): void {
  for (const problem of problemsOf(error)) terminal.complain(`waywarden: cannot start: ${problem}`)
}

function problemsOf(error: unknown): readonly string[] {
  const problems = error instanceof Error && 'problems' in error ? error.problems : undefined
  return Array.isArray(problems) ? problems.map(String) : [describeError(error)]
}
