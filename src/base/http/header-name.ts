import type { Headers } from '../model/check-input.ts'

/**
 * Folds a header name as CGI, WSGI, PHP, nginx and lighttpd do: every character except letters and digits counts as the
 * same one, and case is ignored. Such a server reads two names with one fold as one header.
 */
export function foldName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '-')
}

/**
 * True if a name has a character that some servers read as `-`. Envoy passes each of ``!#$%&'*+.^_`|~`` in a header name.
 */
export function isOddName(name: string): boolean {
  return !/^:?[a-z0-9-]*$/.test(name)
}

/** Returns the received headers that are other spellings of one of our names, without the names themselves. */
export type TwinFinder = (received: Headers) => readonly string[]

/** Creates a finder for fixed names. */
export function createTwinFinder(names: readonly string[]): TwinFinder {
  const folds = new Set(names.map(foldName))
  const isTwin = (name: string): boolean => folds.has(foldName(name)) && !names.includes(name)
  // A plain name can match only an odd spelling.
  const hasOddName = names.some(isOddName)
  return (received) => {
    const odd = received.oddNames
    if (odd !== undefined && !hasOddName) return odd.length === 0 ? none : odd.filter(isTwin)
    return [...received.keys()].filter(isTwin)
  }
}

const none: readonly string[] = []
