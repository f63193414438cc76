import { createHash, generateKeyPairSync } from 'node:crypto'
import { type Invalid, invalid, isInvalid } from '../../base/model/invalid.ts'
import type { Problems } from '../../base/model/problems.ts'
import { type KeySet, toKeySet, type VerifyingKey } from '../jws/key-set.ts'
import { parsePublicHalf, parseSigningKey, type SigningKey } from '../jws/signing-key.ts'

/** The keys of a chain issuer. The active key signs; the active, next and previous keys verify. */
export type ChainKeys = {
  readonly signing: SigningKey
  readonly verifying: KeySet
  /** SHA-256 (base64) over the signing key and the verifying keys. Equal ids mean equal keys. */
  readonly id: string
}

/** Builds the key set of an issuer. */
export function toChainKeys(signing: SigningKey, publicKeys: readonly VerifyingKey[]): ChainKeys {
  const described = [signing.public, ...publicKeys].map(({ kid, alg, jwk }) => [kid, alg, jwk])
  const id = createHash('sha256').update(JSON.stringify(described)).digest('base64')
  return { signing, verifying: toKeySet(publicKeys), id }
}

/** The file of the signing key. */
export const activeKeyFile = 'active.jwk.json'

/** All files that a keys directory may hold. Keys in the other files only verify. */
export const keyFiles = ['active.jwk.json', 'next.jwk.json', 'previous.jwk.json'] as const

/** Parses the key files of a directory, by file name. Each problem names its file. */
export function parseChainKeys(files: ReadonlyMap<string, string>): ChainKeys | Problems<Invalid> {
  const problems: Invalid[] = []
  const keys = new Map<string, VerifyingKey>()
  const signing = parseActive(files.get(activeKeyFile))
  if (isInvalid(signing)) problems.push(signing)
  for (const [name, text] of files) {
    const key = parsePublicHalf(text)
    if (isInvalid(key)) {
      if (name !== activeKeyFile) problems.push(invalid(`${name}: ${key.reason}`))
    } else if (keys.has(key.kid))
      problems.push(invalid(`${name}: expected a \`kid\` of its own, found \`${key.kid}\` again`))
    else keys.set(key.kid, key)
  }
  return isInvalid(signing) || problems.length > 0
    ? { kind: 'problems', problems }
    : toChainKeys(signing, [...keys.values()])
}

/** A JWK Set (RFC 7517 §5) of the public keys, for verifiers of chains. */
export function toJwks(keys: KeySet): { readonly keys: readonly VerifyingKey['jwk'][] } {
  return { keys: [...keys.keys.values()].map((key) => key.jwk) }
}

/** Generates an ES256 key as JWK text. Its `kid` is its thumbprint (RFC 7638), so no two keys share one. */
export function generateKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { kty, crv, x, y, d } = privateKey.export({ format: 'jwk' })
  const kid = createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url')
  return `${JSON.stringify({ kid, alg: 'ES256', use: 'sig', kty, crv, x, y, d }, undefined, 2)}\n`
}

function parseActive(text: string | undefined): SigningKey | Invalid {
  if (text === undefined)
    return invalid(`${activeKeyFile}: expected a key; \`waywarden keys init\` makes one`)
  const key = parseSigningKey(text)
  return isInvalid(key) ? invalid(`${activeKeyFile}: ${key.reason}`) : key
}
