import type { Deny } from './decision.ts'

/**
 * A fact that a decision lacks and that can be had. The code that decides never waits: it returns the need, the shell
 * meets it, and the same question is asked again.
 */
export type Need = KeyNeed | ProofNeed

type AnyNeed = {
  readonly kind: 'need'
  /** Names the fact: within one check each is asked for at most once. */
  readonly key: string
  /** Our name for the provider. */
  readonly issuer: string
  /** The answer if the fact cannot be had. */
  readonly unmet: Deny
}

/** The key that an identity provider may have begun to use since its set was read. */
export type KeyNeed = AnyNeed & { readonly what: 'provider_key'; readonly kid: string }

/** The proof that a key of an identity provider has signed a token. */
export type ProofNeed = AnyNeed & {
  readonly what: 'provider_proof'
  /** The token, whose form was read already. */
  readonly token: string
  /** The algorithm that the token names, and the only one of the key. */
  readonly alg: string
  /** The public key; the same object as long as the set of keys is the same. */
  readonly jwk: Readonly<Record<string, string>>
}

/** The proof that was asked for; `key` is the need's. */
export type TokenProof = { readonly kind: 'proof'; readonly key: string }

/** The result of meeting a need: a proof, `undefined` if facts that are read anew may have it now, or the reason why not. */
export type Met = TokenProof | Deny | undefined

/** True if a step of the line lacks a fact. */
export function isNeed<V>(value: V): value is Extract<V, Need>
export function isNeed(value: { readonly kind?: unknown } | undefined): boolean {
  return value?.kind === 'need'
}
