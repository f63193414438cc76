import { deny } from '../../base/model/decision.ts'
import type { ProofNeed } from '../../base/model/need.ts'
import type { TokenForm } from '../jws/compact.ts'
import type { VerifyingKey } from '../jws/key-set.ts'
import type { UserIssuer } from './user-issuer.ts'

/** The tokens that a provider's key is proven to have signed, by generation of its keys and digest of the token. */
export type ProvenTokens = {
  /** Returns a token that an earlier check has proven. */
  readonly recall: (key: string) => TokenForm | undefined
  /** True if this check has proven a token. */
  readonly isProven: (key: string) => boolean
  readonly remember: (key: string, form: TokenForm, bytes: number) => void
}

/** A token as presented. The digest covers its signature: claims alone, as a log may have them, prove nothing. */
export type PresentedToken = { readonly text: string; readonly digest: string }

/** Bytes that a parsed token takes for each character of its text. */
const parsedShare = 2.5

/** Returns the form of a token that one of these providers is proven to have signed; its `iss` says which one. */
export function recallForm(
  { digest }: PresentedToken,
  issuers: readonly UserIssuer[],
  proven: ProvenTokens,
): TokenForm | undefined {
  for (const issuer of issuers) {
    const form = proven.recall(keyOfProof(issuer, digest))
    if (form !== undefined) return form
  }
  return undefined
}

/** Returns the need for a proof that this key has signed the token; `undefined` if it is proven. */
export function requireProof(
  { text, digest }: PresentedToken,
  { kind, protectedHeader, claims }: TokenForm,
  { jwk }: VerifyingKey,
  issuer: UserIssuer,
  proven: ProvenTokens,
): ProofNeed | undefined {
  const key = keyOfProof(issuer, digest)
  if (proven.recall(key) !== undefined) return undefined
  if (proven.isProven(key)) {
    proven.remember(key, { kind, protectedHeader, claims }, text.length * parsedShare)
    return undefined
  }
  const unmet = { ...deny('deadline_exceeded', 'the token was not verified in time'), issuer: issuer.name }
  const { alg } = protectedHeader
  return { kind: 'need', what: 'provider_proof', key, issuer: issuer.name, token: text, alg, jwk, unmet }
}

function keyOfProof({ keys }: UserIssuer, digest: string): string {
  return `${keys.id} ${digest}`
}
