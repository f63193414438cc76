import { CompactSign, compactVerify } from 'jose'
import type { ParsedJws } from './compact.ts'
import { type KeySet, resolveKey } from './key-set.ts'
import type { SigningKey } from './signing-key.ts'

/**
 * Whether the key that `kid` names signed this. The algorithm is the key's own: a header that asks for another
 * one (`none`, HS256 with the public key as secret) is a bad signature.
 */
export async function verifySignature(
  jws: ParsedJws,
  keySet: KeySet,
): Promise<true | 'key_unknown' | 'signature'> {
  const key = resolveKey(keySet, jws.protectedHeader.kid)
  if (key === undefined) return 'key_unknown'
  try {
    await compactVerify(`${jws.signingInput}.${jws.signature}`, key.key, { algorithms: [key.alg] })
    return true
  } catch {
    return 'signature'
  }
}

/** Signs claims as a compact JWS. The header has the key's `alg` and `kid`, and `typ`. */
export function signCompactJws(
  typ: string,
  claims: Readonly<Record<string, unknown>>,
  key: SigningKey,
): Promise<string> {
  const { alg, kid } = key.public
  return new CompactSign(Buffer.from(JSON.stringify(claims)))
    .setProtectedHeader({ alg, kid, typ })
    .sign(key.key)
}
