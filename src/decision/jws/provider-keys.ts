import { hash, type KeyObject } from 'node:crypto'
import { type Invalid, invalid, isInvalid } from '../../base/model/invalid.ts'
import { quote } from '../../base/text/quote.ts'
import type { ParsedJws } from './compact.ts'
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts'
import {
  algorithmOf,
  importPublicKey,
  type KeySet,
  privateMembers,
  publicMembers,
  readJwks,
  resolveKey,
  toKeySet,
  tokenAlgorithms,
  toVerifyingKey,
  type VerifyingKey,
} from './key-set.ts'

/** A provider's key that cannot verify signatures here. */
export type UnusableKey = {
  readonly kind: 'unusable'
  /** Its position in the set, from 1. */
  readonly position: number
  readonly kid: string | undefined
  /** The reason; the text continues after the key's name. */
  readonly why: string
  /** True if the key was never meant to sign tokens, so that no notice is needed. */
  readonly isForOtherUse: boolean
  /** True if the set contains its private half, so that every reader of the set can sign with it. */
  readonly isExposed: boolean
  readonly key: KeyObject | undefined
}

type UsableKey = { readonly kind: 'usable'; readonly position: number; readonly key: VerifyingKey }

type AnyKey = UsableKey | UnusableKey

/** A provider's public keys: the usable ones, and the others with reasons. */
export type ProviderKeys = KeySet & {
  /** Names the generation: a digest of all usable keys. */
  readonly id: string
  readonly unusable: readonly UnusableKey[]
}

/** Values of `use` that allow signing tokens; SPIFFE bundles write `jwt-svid` for `sig`. */
const signingUses: readonly JsonValue[] = ['sig', 'jwt-svid']
/** Values of `use` that exclude signing tokens (RFC 7517 §4.2, SPIFFE bundles). */
const otherUses: readonly JsonValue[] = ['enc', 'x509-svid', 'wit-svid']
/** RFC 9864 names the curve; the algorithm is the same here. */
const aliases: ReadonlyMap<JsonValue | undefined, string> = new Map([['Ed25519', 'EdDSA']])
const maxNamed = 10

/**
 * Parses the JWK Set of an identity provider (RFC 7517 §5). An unusable key does not affect other keys, because a
 * provider changes its keys without notice. A set without any usable key is refused, so the set in force stays. A key
 * whose private half is exposed is removed even from the set in force.
 */
export function parseProviderKeys(text: string, inForce?: ProviderKeys): ProviderKeys | Invalid {
  const items = readJwks(text, 'provider')
  if (isInvalid(items)) return items
  const read = withoutExposed(withoutAmbiguous(items.map((item, index) => readKey(item, index + 1))))
  const unusable = read.filter((key) => key.kind === 'unusable')
  const usable = read.filter((key) => key.kind === 'usable').map(({ key }) => key)
  if (usable.length > 0) return toProviderKeys(usable, unusable)
  const exposed = unusable.filter(({ isExposed }) => isExposed)
  const kept = [...(inForce?.keys.values() ?? [])].filter((key) => !exposed.some((one) => isSame(one, key)))
  if (inForce !== undefined && kept.length < inForce.keys.size) return toProviderKeys(kept, unusable)
  const why = unusable.map((key) => `; ${describeUnusable(key)}`).slice(0, maxNamed)
  return invalid(`JWKS: expected a key for ${tokenAlgorithms.join(', ')}${why.join('')}`)
}

/** The keys of a provider whose set was never read. */
export const unknownKeys: ProviderKeys = { id: '', keys: new Map(), unusable: [] }

/** Lists the keys that were meant to sign but are unusable here, with reasons. */
export function keyNotices({ unusable }: ProviderKeys): readonly string[] {
  return unusable.filter(({ isForOtherUse }) => !isForOtherUse).map(describeUnusable)
}

/** True if the set does not have the key that a token names, though the token's algorithm is one of ours. */
export function isKeyUnknown(
  { protectedHeader }: Pick<ParsedJws, 'protectedHeader'>,
  keys: ProviderKeys,
): boolean {
  const { alg, kid } = protectedHeader
  const isTaken = tokenAlgorithms.some((ours) => ours === (aliases.get(alg) ?? alg))
  return isTaken && resolveKey(keys, kid) === undefined && !keys.unusable.some((key) => key.kid === kid)
}

/** Finds the key that must have signed this, or explains why there is none. Nothing is verified. */
export function findSigningKey(
  { protectedHeader }: Pick<ParsedJws, 'protectedHeader'>,
  keys: ProviderKeys,
): VerifyingKey | Invalid {
  const { alg, kid } = protectedHeader
  const key = resolveKey(keys, kid)
  if (key === undefined) {
    const unusable = keys.unusable.find((one) => one.kid === kid)
    return invalid(
      unusable === undefined
        ? `the provider's keys have none with the \`kid\` ${quote(kid)}`
        : `the key ${quote(kid)} is there, but ${unusable.why}`,
    )
  }
  return (aliases.get(alg) ?? alg) === key.alg
    ? key
    : invalid(`the key ${quote(kid)} is for ${key.alg}, the token says ${quote(alg)}`)
}

function toProviderKeys(usable: readonly VerifyingKey[], unusable: readonly UnusableKey[]): ProviderKeys {
  const members = usable.map(({ jwk }) => JSON.stringify(Object.entries(jwk).sort())).sort()
  return { id: hash('sha256', members.join(), 'base64url'), ...toKeySet(usable), unusable }
}

function readKey(item: JsonValue, position: number): AnyKey {
  const unusable = { kind: 'unusable', position, kid: undefined, isForOtherUse: false } as const
  if (!isJsonObject(item))
    return { ...unusable, isExposed: false, key: undefined, why: 'it is no JSON object' }
  const jwk = withPlainNames(item)
  const kid = readKid(jwk)
  const isExposed = jwk.get('kty') !== 'oct' && privateMembers.some((name) => jwk.has(name))
  const key = isExposed ? importPublicKey(publicMembers(jwk)) : undefined
  const refuse = (why: string, isForOtherUse = false): UnusableKey => ({
    ...unusable,
    kid,
    isExposed,
    key,
    isForOtherUse,
    why,
  })
  if (isExposed)
    return refuse(
      'the set contains its private half, so every reader of the set can sign; the provider must replace it',
    )
  const use = jwk.get('use')
  if (use !== undefined && otherUses.includes(use)) return refuse(`its \`use\` is ${quote(use)}`, true)
  const problem = findKeyProblem(jwk)
  if (problem !== undefined) return refuse(problem)
  const verifying = toVerifyingKey(jwk, tokenAlgorithms)
  return isInvalid(verifying) ? refuse(verifying.reason) : { kind: 'usable', position, key: verifying }
}

function readKid(jwk: JsonObject): string | undefined {
  const kid = jwk.get('kid')
  return typeof kid === 'string' && kid !== '' ? kid : undefined
}

function withPlainNames(jwk: JsonObject): JsonObject {
  const alias = aliases.get(jwk.get('alg'))
  return alias === undefined ? jwk : new Map([...jwk, ['alg', alias]])
}

function findKeyProblem(jwk: JsonObject): string | undefined {
  const [use, operations, alg, kty, curve] = ['use', 'key_ops', 'alg', 'kty', 'crv'].map((name) =>
    jwk.get(name),
  )
  if (kty === 'oct') return 'it is a shared secret, and no secret any more'
  if (use !== undefined && !signingUses.includes(use)) return `its \`use\` is ${quote(use)}`
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify')))
    return 'its `key_ops` lack `verify`'
  if (algorithmOf(jwk) !== undefined) return undefined
  const taken = `; taken are ${tokenAlgorithms.join(', ')}`
  if (alg === undefined) return `${quote(curve ?? kty)} is not taken${taken}`
  return tokenAlgorithms.some((ours) => ours === alg)
    ? `${quote(alg)} does not fit a key of ${quote(curve ?? kty)}`
    : `${quote(alg)} is not taken${taken}`
}

/**
 * A token names its key by `kid` alone. Duplicates of one key count once. Two different keys with one `kid` are
 * ambiguous.
 */
function withoutAmbiguous(read: readonly AnyKey[]): readonly AnyKey[] {
  const first = new Map<string, VerifyingKey>()
  const ambiguous = new Set<string>()
  for (const each of read) {
    if (each.kind === 'unusable') continue
    const { kid, alg, key } = each.key
    const other = first.get(kid)
    if (other === undefined) first.set(kid, each.key)
    else if (other.alg !== alg || !other.key.equals(key)) ambiguous.add(kid)
  }
  return read
    .filter(
      (each) =>
        each.kind === 'unusable' || ambiguous.has(each.key.kid) || first.get(each.key.kid) === each.key,
    )
    .map((each) => (each.kind === 'usable' && ambiguous.has(each.key.kid) ? toUnusable(each, twice) : each))
}

const twice = 'the set has another key of this `kid`, and a token could mean either'

/** The public half of an exposed key may also be in the set, under the same `kid` or another. */
function withoutExposed(read: readonly AnyKey[]): readonly AnyKey[] {
  const exposed = read.filter((each) => each.kind === 'unusable').filter(({ isExposed }) => isExposed)
  return read.map((each) =>
    each.kind === 'usable' && exposed.some((one) => isSame(one, each.key))
      ? toUnusable(each, 'the set also contains its private half; the provider must replace it')
      : each,
  )
}

function isSame(exposed: UnusableKey, { kid, key }: VerifyingKey): boolean {
  return exposed.kid === kid || exposed.key?.equals(key) === true
}

function toUnusable({ position, key: { kid, key } }: UsableKey, why: string): UnusableKey {
  return { kind: 'unusable', position, kid, why, isForOtherUse: false, isExposed: false, key }
}

function describeUnusable({ position, kid, why }: UnusableKey): string {
  return `key ${position}${kid === undefined ? '' : ` ${quote(kid)}`}: ${why}`
}
