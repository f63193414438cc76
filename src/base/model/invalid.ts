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
