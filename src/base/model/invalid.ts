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
