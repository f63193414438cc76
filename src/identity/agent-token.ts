import type { Headers } from '../model/check-input.ts'
import type { UserIssuer } from './user-issuer.ts'

/** Where access tokens travel besides the copies that the configuration names. */
const authorization = 'authorization'
/** The shortest text worth decoding: an `iss` and an `aud` do not fit in less. */
const minPartLength = 24
/** A token has three parts or five. */
const maxParts = 64
/** How often a recipient might decode before it comes to a token: Basic carries one in base64, which may be encoded again. */
const maxLayers = 2

type Issuers = readonly Pick<UserIssuer, 'issuer' | 'audience'>[]
type Claims = { readonly iss?: unknown; readonly aud?: unknown }

/**
 * Whether an agent presents a token of an ingress issuer and audience: a user's own, kept and sent again past the chain.
 * Nothing is verified here, and what is read is read as leniently as any recipient might: in whatever
 * scheme, spelling, wrapping or header value, and however often.
 */
export function isUserToken(
  headers: Headers,
  issuers: Issuers,
  tokenCopies: readonly string[] = [],
): boolean {
  const values = [authorization, ...tokenCopies].flatMap((name) => headers.get(name) ?? [])
  return values.length > 0 && carriesToken(values, issuers, maxLayers)
}

function carriesToken(texts: readonly string[], issuers: Issuers, layers: number): boolean {
  const parts = texts
    .flatMap((text) => withoutEscapes(text).split(/[^A-Za-z0-9_+/-]+/))
    .filter((part) => part.length >= minPartLength)
  // Reading thousands of parts would stall everybody, and passing any over would let a token by.
  if (parts.length > maxParts) return true
  const decoded = parts.map((part) => Buffer.from(part, 'base64url').toString('utf8'))
  const claims = decoded.map(readClaims)
  if (claims.some((each) => each !== undefined && isForAny(each, issuers))) return true
  // What is JSON is a part of some token, however many names stand in it, and wraps none.
  const wrapping = decoded.filter((_, index) => claims[index] === undefined)
  return layers > 0 && wrapping.length > 0 && carriesToken(wrapping, issuers, layers - 1)
}

/** As far as a token's letters go; whoever escapes others hides nothing. */
function withoutEscapes(text: string): string {
  return text.replace(/%([0-7][0-9a-f])/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

function isForAny(claims: Claims, issuers: Issuers): boolean {
  const audiences: readonly unknown[] = Array.isArray(claims.aud) ? claims.aud : [claims.aud]
  return issuers.some(({ issuer, audience }) => claims.iss === issuer && audiences.includes(audience))
}

function readClaims(text: string): Claims | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
