/** Why untrusted input is not what a parser expected: lower case, what was expected then what was found. */
export type Invalid = { readonly kind: 'invalid'; readonly reason: string }

/** The value by which every `parseX` refuses its input. */
export function invalid(reason: string): Invalid {
  return { kind: 'invalid', reason }
}

/** Whether a parser refused. */
export function isInvalid(value: object): value is Invalid
export function isInvalid(value: { readonly kind?: unknown }): boolean {
  // As with `isDeny`.
  return value.kind === 'invalid'
}

/**
 * Whether a function that reports several problems at once has failed. The list says so itself: no field of the success has
 * to be there, or to be missing.
 */
export function areProblems<V extends object>(value: V): value is Extract<V, readonly unknown[]> {
  return Array.isArray(value)
}
