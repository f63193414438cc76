import type { Headers } from '../model/check-input.ts'

/**
 * A header name as CGI, WSGI, PHP, nginx and lighttpd read it: every character that is neither a letter nor a digit counts as
 * the same one, in one case. Two names with one fold are one header to such a server.
 */
export function foldName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '-')
}

/** Whether a name has a character that some servers take for `-`. Envoy passes each of ``!#$%&'*+.^_`|~`` in a header name. */
export function isOddName(name: string): boolean {
  return !/^:?[a-z0-9-]*$/.test(name)
}

/** Finds the received headers that are another spelling of one of our names; the names themselves are not among them. */
export type TwinFinder = (received: Headers) => readonly string[]

/** Makes a finder for names that do not change. */
export function createTwinFinder(names: readonly string[]): TwinFinder {
  const folds = new Set(names.map(foldName))
  const isTwin = (name: string): boolean => folds.has(foldName(name)) && !names.includes(name)
  // A plain name can only be the twin of an odd one.
  const hasOddName = names.some(isOddName)
  return (received) => {
    const odd = received.oddNames
    if (odd !== undefined && !hasOddName) return odd.length === 0 ? none : odd.filter(isTwin)
    return [...received.keys()].filter(isTwin)
  }
}

const none: readonly string[] = []
