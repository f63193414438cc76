/**
 * Something that failed for a reason outside of the content: an errno, a subprocess that failed, a timeout. It says
 * nothing about the content, so it is tried again and never remembered.
 */
export type Fault = { readonly kind: 'fault'; readonly reason: string }

// An error may be its own cause.
const maxCauses = 4

/** The value of a step that failed for a reason outside of the content. */
export function fault(reason: string): Fault {
  return { kind: 'fault', reason }
}

/** A fault with the message of what was thrown, and those of its causes: the last one is often the errno. */
export function toFault(what: string, cause: unknown): Fault {
  return fault(`${what}: ${describeCause(cause)}`)
}

/** Whether a value says that a step failed for a reason outside of the content. */
export function isFault(value: object): value is Fault
export function isFault(value: { readonly kind?: unknown }): boolean {
  return value.kind === 'fault'
}

/** Whether a system call failed with this errno, such as `EEXIST`. */
export function isErrno(cause: unknown, code: string): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === code
}

/** Whether the kernel said that there is no such file; no other errno says so. */
export function isAbsent(cause: unknown): boolean {
  return isErrno(cause, 'ENOENT')
}

/** The messages of an error and of its causes, the innermost last. */
export function describeCause(cause: unknown, depth = 1): string {
  if (!(cause instanceof Error)) return String(cause)
  return cause.cause === undefined || depth === maxCauses
    ? cause.message
    : `${cause.message}: ${describeCause(cause.cause, depth + 1)}`
}
