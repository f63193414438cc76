import type { Deny } from './decision.ts'

/**
 * A fact that a decision lacks and that can be fetched. The code that decides never waits: it returns the need, the shell
 * fetches the fact, and the same question is asked again.
 */
export type Need = {
  readonly kind: 'need'
  /** The key that an identity provider may have begun to use since its set was read. */
  readonly what: 'provider_key'
  /** Names the fact: within one check each is fetched at most once. */
  readonly key: string
  /** Our name for the provider. */
  readonly issuer: string
  readonly kid: string
  /** The answer if the fact cannot be had. */
  readonly unmet: Deny
}

/** True if a step of the line lacks a fact. */
export function isNeed<V>(value: V): value is Extract<V, Need>
export function isNeed(value: { readonly kind?: unknown } | undefined): boolean {
  return value?.kind === 'need'
}
