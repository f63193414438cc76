import { createHmac, createPrivateKey, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type Failure, isFailure } from '../../src/base/model/failure.ts'
import { isProblems, type Problems } from '../../src/base/model/problems.ts'
import { parseSpiffeId, type SpiffeId } from '../../src/base/model/spiffe-id.ts'

/** Signs the signing input of a JWS. */
export type Signer = (signingInput: string) => Buffer

/** The text of a throwaway key in test/support/keys. */
export function readKey(name: string): string {
  return readFileSync(new URL(`./keys/${name}.jwk.json`, import.meta.url), 'utf8')
}

/** A JWK Set of the public halves of throwaway keys, as text. */
export function readJwks(...names: readonly string[]): string {
  const keys = names.map((name) => {
    const { kid, alg, use, kty, crv, x, y, n, e } = JSON.parse(readKey(name))
    return { kid, alg, use, kty, crv, x, y, n, e }
  })
  return JSON.stringify({ keys })
}

/** A signer for a throwaway key; ES256 signatures differ each time, all others never. */
export function signer(name: string): Signer {
  const jwk = JSON.parse(readKey(name))
  const key = createPrivateKey({ key: jwk, format: 'jwk' })
  const digest = jwk.kty === 'OKP' ? null : 'sha256'
  return (input) => sign(digest, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
}

/** HMAC-SHA-256 with a secret that a confused verifier might use. */
export function hmacSigner(secret: string): Signer {
  return (input) => createHmac('sha256', secret).update(input).digest()
}

/** A compact JWS of any header and payload, objects or their exact text, independent of our own signing. */
export function forge(header: object | string, payload: object | string | Buffer, sign: Signer): string {
  const signingInput = `${encodePart(header)}.${encodePart(payload)}`
  return `${signingInput}.${sign(signingInput).toString('base64url')}`
}

/** base64url of an object's JSON, or of an exact text or bytes. */
export function encodePart(part: object | string | Buffer): string {
  if (Buffer.isBuffer(part)) return part.toString('base64url')
  return Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url')
}

/** A SPIFFE ID known to be good. */
export function spiffeId(uri: string): SpiffeId {
  return good(parseSpiffeId(uri))
}

/** Returns the result of a parser for input known to be good. */
export function good<V>(value: V): Exclude<V, Failure> {
  if (isFailure(value)) throw new TypeError(`expected good input: ${JSON.stringify(value)}`)
  // `Extract`, by which the guard narrows, does not narrow to `Exclude` in the other case.
  return value as Exclude<V, Failure>
}

/** Returns a parser's reason for refusing its input; `undefined` if it accepted. */
export function problemsOf<P>(value: object | Problems<P>): readonly P[] {
  return isRefused(value) ? value.problems : []
}

/** The guard for any type of problem. */
function isRefused<P>(value: object | Problems<P>): value is Problems<P> {
  return isProblems(value)
}
