/** Why untrusted input was refused: lower case, the expectation first, then the finding. */
export type Invalid = { readonly kind: 'invalid'; readonly reason: string }

/** The value with which every `parseX` refuses its input. */
export function invalid(reason: string): Invalid {
  return { kind: 'invalid', reason }
}

/** True if a parser refused. */
export function isInvalid<V>(value: V): value is Extract<V, Invalid>
export function isInvalid(value: { readonly kind?: unknown } | undefined): boolean {
  return value?.kind === 'invalid'
}

/**
 * True if a function that reports several problems failed. The list has its own tag, so no field of the success has to be
 * tested.
 */
export function areProblems<V extends object>(value: V): value is Extract<V, readonly unknown[]> {
  return Array.isArray(value)
}
