import { setFlagsFromString } from 'node:v8'
import { describeError, type ExitCode, exitCodes, type Terminal, toLine } from './terminal.ts'

/**
 * Configures V8 for serving. A collection of young garbage would wait for helper threads, which compete for few cores; no
 * request is answered for those milliseconds. One thread needs half a millisecond.
 */
export function setUpEngine(): void {
  setFlagsFromString('--no-parallel-scavenge')
}

/** Prints why a server could not start, one line for each problem, and returns the exit code. */
export function complainAboutStart(error: unknown, terminal: Terminal): ExitCode {
  for (const problem of problemsOf(error)) terminal.complain(toLine(`waywarden: cannot start: ${problem}`))
  return isOfFiles(error) ? exitCodes.config : exitCodes.negative
}

/** True if configured files cannot be used, here or in a worker; `config check` finds the same. */
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

/** Explains how to fix an address that cannot be listened on, because servers word the error differently or twice. */
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
