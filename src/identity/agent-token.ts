import type { Headers } from '../model/check-input.ts'
import type { UserIssuer } from './user-issuer.ts'

/** Where access tokens travel besides the copies that the configuration names. */
const authorization = 'authorization'
/** The shortest text worth decoding: an `iss` and an `aud` do not fit in less. */
const minPartLength = 24
/** A token has three parts or five. */
const maxParts = 64

/**
 * Whether an agent presents a token of an ingress issuer and audience: a user's own, kept and sent again past the chain.
 * Nothing is verified here, and what is read is read as leniently as any recipient might: in whatever
 * scheme, spelling or header value, and however often.
 */
export function isUserToken(
  headers: Headers,
  issuers: readonly Pick<UserIssuer, 'issuer' | 'audience'>[],
  tokenCopies: readonly string[] = [],
): boolean {
  const parts = [authorization, ...tokenCopies]
    .flatMap((name) => headers.get(name) ?? [])
    .flatMap((value) => value.split(/[^A-Za-z0-9_+/-]+/))
    .filter((part) => part.length >= minPartLength)
  // Reading thousands of parts would stall everybody, and passing any over would let a token by.
  return parts.length > maxParts || parts.some((part) => isForAny(part, issuers))
}

function isForAny(part: string, issuers: readonly Pick<UserIssuer, 'issuer' | 'audience'>[]): boolean {
  const claims = readClaims(part)
  if (claims === undefined) return false
  const audiences: readonly unknown[] = Array.isArray(claims.aud) ? claims.aud : [claims.aud]
  return issuers.some(({ issuer, audience }) => claims.iss === issuer && audiences.includes(audience))
}

function readClaims(part: string): { readonly iss?: unknown; readonly aud?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
