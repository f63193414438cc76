import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { type Invalid, invalid, isInvalid } from '../../base/model/invalid.ts'
import { type JsonObject, parseStrictJson } from './json.ts'
import { chainAlgorithms, toVerifyingKey, type VerifyingKey } from './key-set.ts'

/** A private key, its public key, and their one algorithm. */
export type SigningKey = { readonly key: KeyObject; readonly public: VerifyingKey }

/** Parses a private JWK with `kid`, for ES256 or EdDSA. */
export function parseSigningKey(text: string): SigningKey | Invalid {
  const jwk = parseStrictJson(text)
  if (isInvalid(jwk)) return jwk
  const verifying = toVerifyingKey(jwk, chainAlgorithms)
  if (isInvalid(verifying)) return verifying
  const key = importPrivateKey(jwk, verifying)
  if (key === undefined) return invalid('expected a private key (`d`)')
  return createPublicKey(key).equals(verifying.key)
    ? { key, public: verifying }
    : invalid('expected `d` to belong to the public key')
}

/** Parses the public half of a JWK that signs chains or did so before. */
export function parsePublicHalf(text: string): VerifyingKey | Invalid {
  const jwk = parseStrictJson(text)
  return isInvalid(jwk) ? jwk : toVerifyingKey(jwk, chainAlgorithms)
}

function importPrivateKey(jwk: JsonObject, verifying: VerifyingKey): KeyObject | undefined {
  const d = jwk.get('d')
  if (typeof d !== 'string') return undefined
  try {
    return createPrivateKey({ key: { ...verifying.jwk, d }, format: 'jwk' })
  } catch {
    return undefined
  }
}
