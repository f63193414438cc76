import { setFlagsFromString } from 'node:v8'
import { describeError, type ExitCode, exitCodes, type Terminal, toLine } from './terminal.ts'

/**
 * Sets the engine up to answer requests. A collection of young garbage would wait for helper threads, which on few or
 * limited cores wait for their turn: for all of these milliseconds no request is answered, while one thread is done in half
 * of one.
 */
export function setUpEngine(): void {
  setFlagsFromString('--no-parallel-scavenge')
}

/** Prints why a server could not start, one line a problem, and returns with which code it ends. */
export function complainAboutStart(error: unknown, terminal: Terminal): ExitCode {
  for (const problem of problemsOf(error)) terminal.complain(toLine(`waywarden: cannot start: ${problem}`))
  return isOfFiles(error) ? exitCodes.config : exitCodes.negative
}

/** Whether files that the configuration names cannot be used, here or in a worker: `config check` finds the same. */
function isOfFiles(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return (
    ('code' in error && error.code === 'start_failed') || ('isOfFiles' in error && error.isOfFiles === true)
  )
}

function problemsOf(error: unknown): readonly string[] {
  const problems = error instanceof Error && 'problems' in error ? error.problems : undefined
  if (Array.isArray(problems)) return problems.map(String)
  const description = describeError(error)
  return [explainListening(description) ?? description]
}

/** What to do about an address that cannot be listened on; servers say it in words of their own, some of them twice. */
function explainListening(description: string): string | undefined {
  const [, code, address = ''] =
    /listen (EADDRINUSE|EACCES|EADDRNOTAVAIL)\b.*?\s(\[?[\da-f.:]+\]?:\d+)/.exec(description) ?? []
  const place = `cannot listen on \`${address}\``
  switch (code) {
    case 'EADDRINUSE':
      return `${place}: another process listens there; \`ss -ltnp sport = :${address.split(':').at(-1)}\` names it. Stop it, or change \`listeners\` or \`admin\``
    case 'EACCES':
      return `${place}: this user may not open the port; choose one above 1023`
    case 'EADDRNOTAVAIL':
      return `${place}: no interface of this machine has that address`
    default:
      return undefined
  }
}
