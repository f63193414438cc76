/**
 * A failure outside of the content: an errno, a failed subprocess, a timeout. It implies nothing about the content, so
 * the step is retried and the result never cached.
 */
export type Fault = { readonly kind: 'fault'; readonly reason: string }

// An error may be its own cause.
const maxCauses = 4

/** Returns the value of a step that failed outside of the content. */
export function fault(reason: string): Fault {
  return { kind: 'fault', reason }
}

/** Returns a fault with the messages of an error and its causes. The last one is often the errno. */
export function toFault(what: string, cause: unknown): Fault {
  return fault(`${what}: ${describeCause(cause)}`)
}

/** True if a step failed outside of the content. */
export function isFault<V>(value: V): value is Extract<V, Fault>
export function isFault(value: { readonly kind?: unknown } | undefined): boolean {
  return value?.kind === 'fault'
}

/** True if a system call failed with this errno, such as `EEXIST`. */
export function isErrno(cause: unknown, code: string): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === code
}

/** True if the file does not exist. No other errno means that. */
export function isAbsent(cause: unknown): boolean {
  return isErrno(cause, 'ENOENT')
}

/** Joins the messages of an error and its causes, the innermost last. */
export function describeCause(cause: unknown, depth = 1): string {
  if (!(cause instanceof Error)) return String(cause)
  return cause.cause === undefined || depth === maxCauses
    ? cause.message
    : `${cause.message}: ${describeCause(cause.cause, depth + 1)}`
}
