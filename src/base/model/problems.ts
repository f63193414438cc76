/** Everything that is wrong with an input: one item for each thing, and at least one. */
export type Problems<P> = { readonly kind: 'problems'; readonly problems: readonly P[] }

/** True if a function that reports several problems at once has refused its input. */
export function isProblems<V>(value: V): value is Extract<V, Problems<unknown>>
export function isProblems(value: { readonly kind?: unknown } | undefined): boolean {
  return value?.kind === 'problems'
}
