import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { type Invalid, invalid, isInvalid } from '../../base/model/invalid.ts'
import { isJsonObject, type JsonObject, type JsonValue, parseStrictJson, type Reading } from './json.ts'
import { findWeakness } from './weak-key.ts'

/** The algorithms for signing a chain. */
export const chainAlgorithms = ['ES256', 'EdDSA'] as const

/** The algorithms that are accepted from identity providers. */
export const tokenAlgorithms = ['ES256', 'EdDSA', 'RS256', 'PS256'] as const

/** A supported JWS algorithm. */
export type Algorithm = (typeof tokenAlgorithms)[number]

/** A public key and its only algorithm (RFC 8725 §3.1). */
export type VerifyingKey = {
  readonly kid: string
  readonly alg: Algorithm
  readonly key: KeyObject
  /** The public members, as published. */
  readonly jwk: Readonly<Record<string, string>>
}

/** Public keys by `kid`. */
export type KeySet = { readonly keys: ReadonlyMap<string, VerifyingKey> }

const maxBytes = 256 * 1024
/** Any of these makes a JWK a secret (RFC 7518 §6). */
export const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const

/**
 * Parses one of Waywarden's own JWK Sets (RFC 7517 §5). Keys for encryption or other algorithms are skipped. A private or
 * shared key, a key without `kid`, a duplicate `kid` or a weak key refuses the whole set. `parseProviderKeys` parses a
 * provider's set.
 */
export function parseJwks(text: string): KeySet | Invalid {
  const items = readJwks(text, 'ours')
  if (isInvalid(items)) return items
  const keys = new Map<string, VerifyingKey>()
  for (const [index, item] of items.entries()) {
    const key = parseVerifyingKey(item)
    if (key === undefined) continue
    if (isInvalid(key)) return invalid(`JWKS key ${index + 1}: ${key.reason}`)
    if (keys.has(key.kid))
      return invalid(`JWKS key ${index + 1}: expected distinct \`kid\`s, found \`${key.kid}\` twice`)
    keys.set(key.kid, key)
  }
  return keys.size > 0 ? { keys } : invalid(`JWKS: expected a key for ${chainAlgorithms.join(', ')}`)
}

/** Returns the members of `keys` in a JWK Set, not parsed yet. Sizes are checked before parsing. */
export function readJwks(text: string, reading: Reading): readonly JsonValue[] | Invalid {
  if (text.length > maxBytes) return invalid(`JWKS: expected at most ${maxBytes} bytes, found ${text.length}`)
  const set = parseStrictJson(text, reading)
  if (isInvalid(set)) return invalid(`JWKS: ${set.reason}`)
  const items = set.get('keys')
  return Array.isArray(items) ? items : invalid('JWKS: expected an array `keys`')
}

/** Builds a key set. The caller guarantees that all `kid`s differ. */
export function toKeySet(keys: readonly VerifyingKey[]): KeySet {
  return { keys: new Map(keys.map((key) => [key.kid, key])) }
}

/** Finds a key by name. A `kid` is an opaque map key: never a path, a URL or a query. */
export function resolveKey(keySet: KeySet, kid: string): VerifyingKey | undefined {
  return keySet.keys.get(kid)
}

/**
 * Returns the public half of a private or public JWK. The key determines the algorithm, which must be one of
 * `algorithms`.
 */
export function toVerifyingKey(jwk: JsonObject, algorithms: readonly Algorithm[]): VerifyingKey | Invalid {
  const kid = jwk.get('kid')
  if (typeof kid !== 'string' || kid === '' || kid.length > 128) return invalid('expected a short `kid`')
  const alg = algorithmOf(jwk)
  if (alg === undefined || !algorithms.includes(alg))
    return invalid(`expected a key for ${algorithms.join(', ')}`)
  const members = publicMembers(jwk)
  const key = importPublicKey(members)
  if (key === undefined) return invalid('expected a well-formed public key')
  const weakness = findWeakness(key)
  if (weakness !== undefined) return invalid(weakness)
  return { kid, alg, key, jwk: { ...members, kid, alg, use: 'sig' } }
}

function parseVerifyingKey(item: JsonValue): VerifyingKey | Invalid | undefined {
  if (!isJsonObject(item)) return invalid('expected a JSON object')
  if (item.get('kty') === 'oct') return invalid('expected a public key, found a shared secret')
  if (privateMembers.some((name) => item.has(name)))
    return invalid('expected a public key, found a private one')
  if (item.get('use') === 'enc') return undefined
  const alg = algorithmOf(item)
  if (alg === undefined && !isContradictory(item)) return undefined
  if (alg !== undefined && !isOurs(alg)) return undefined
  return toVerifyingKey(item, chainAlgorithms)
}

function isOurs(alg: Algorithm): boolean {
  return chainAlgorithms.some((ours) => ours === alg)
}

/** A key has one algorithm. Some providers publish RSA keys without `alg`; they sign with RS256. */
export function algorithmOf(jwk: JsonObject): Algorithm | undefined {
  const alg = jwk.get('alg')
  const possible = possibleAlgorithms(jwk)
  return alg === undefined ? possible[0] : possible.find((candidate) => candidate === alg)
}

function possibleAlgorithms(jwk: JsonObject): readonly Algorithm[] {
  const kty = jwk.get('kty')
  const crv = jwk.get('crv')
  if (kty === 'RSA') return ['RS256', 'PS256']
  if (kty === 'EC' && crv === 'P-256') return ['ES256']
  if (kty === 'OKP' && crv === 'Ed25519') return ['EdDSA']
  return []
}

/** A supported algorithm on a key of another type is an attempt at confusion, so the key is not simply skipped. */
function isContradictory(jwk: JsonObject): boolean {
  return tokenAlgorithms.some((alg) => alg === jwk.get('alg'))
}

/** Returns the members of the public half and drops all others. */
export function publicMembers(jwk: JsonObject): Record<string, string> {
  const members: Record<string, string> = {}
  for (const name of ['kty', 'crv', 'x', 'y', 'n', 'e']) {
    const value = jwk.get(name)
    if (typeof value === 'string') members[name] = value
  }
  return members
}

/** Imports the public key of these members; `undefined` if they are no key. */
export function importPublicKey(jwk: JsonWebKey): KeyObject | undefined {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' })
  } catch {
    return undefined
  }
}
