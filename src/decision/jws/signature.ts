import { constants, type KeyObject, sign, verify } from 'node:crypto'
import type { ParsedJws } from './compact.ts'
import { type Algorithm, type KeySet, resolveKey } from './key-set.ts'
import type { SigningKey } from './signing-key.ts'

// Uses Node's own synchronous functions. A library over WebCrypto passes each signature to a thread and takes twice the
// CPU time. Signatures are the largest part of the cost of a chain that is not cached.

/** The parameters of an algorithm for node:crypto (RFC 7518 §3.1, RFC 8037 §3.1). */
type Parameters = {
  readonly hash: 'sha256' | null
  readonly options: object
  readonly signatureBytes?: number
}

const parametersOf: Readonly<Record<Algorithm, Parameters>> = {
  // `r` and `s` side by side, not as DER (RFC 7518 §3.4).
  ES256: { hash: 'sha256', options: { dsaEncoding: 'ieee-p1363' }, signatureBytes: 64 },
  EdDSA: { hash: null, options: {}, signatureBytes: 64 },
  RS256: { hash: 'sha256', options: { padding: constants.RSA_PKCS1_PADDING } },
  // The salt must be exactly as long as the hash (RFC 7518 §3.5).
  PS256: {
    hash: 'sha256',
    options: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST },
  },
}

/**
 * Checks that the key named by `kid` signed this. The algorithm is the key's own: a header with another one (`none`, or
 * HS256 with the public key as secret) is a bad signature.
 */
export function verifySignature(jws: ParsedJws, keySet: KeySet): true | 'key_unknown' | 'signature' {
  const key = resolveKey(keySet, jws.protectedHeader.kid)
  if (key === undefined) return 'key_unknown'
  return jws.protectedHeader.alg === key.alg && isSignedBy(jws, key.alg, key.key) ? true : 'signature'
}

/** Signs claims as a compact JWS. The header has the key's `alg` and `kid`, and `typ`. */
export function signCompactJws(
  typ: string,
  claims: Readonly<Record<string, unknown>>,
  { key, public: { alg, kid } }: SigningKey,
): string {
  const signingInput = `${encodePart({ alg, kid, typ })}.${encodePart(claims)}`
  const { hash, options } = parametersOf[alg]
  const signature = sign(hash, Buffer.from(signingInput), { key, ...options })
  return `${signingInput}.${signature.toString('base64url')}`
}

function isSignedBy({ signingInput, signature }: ParsedJws, alg: Algorithm, key: KeyObject): boolean {
  const { hash, options, signatureBytes } = parametersOf[alg]
  const bytes = Buffer.from(signature, 'base64url')
  if (signatureBytes !== undefined && bytes.length !== signatureBytes) return false
  try {
    return verify(hash, Buffer.from(signingInput), { key, ...options }, bytes)
  } catch {
    return false
  }
}

function encodePart(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}
