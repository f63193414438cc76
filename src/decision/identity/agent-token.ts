import { createTwinFinder } from '../../base/http/header-name.ts'
import { createQueryReader } from '../../base/http/query-parameter.ts'
import type { CheckInput } from '../../base/model/check-input.ts'
import type { UserIssuer } from './user-issuer.ts'

/** Headers in which gateways hand on a user's access token, besides the copies that the configuration names. */
export const tokenHeaders: readonly string[] = [
  'authorization',
  'proxy-authorization',
  'x-forwarded-access-token',
  'x-auth-request-access-token',
]

/** The shortest text worth decoding: an `iss` and an `aud` do not fit in less. */
const minPartLength = 24
/** A token has three parts or five. */
const maxParts = 64
/** How often a recipient might decode before it comes to a token: Basic carries one in base64, which may be encoded again. */
const maxLayers = 2

type Issuers = readonly Pick<UserIssuer, 'issuer' | 'audience'>[]
type Claims = { readonly iss?: unknown; readonly aud?: unknown }

/** Whether a request carries a token of one of the ingress issuers, for that issuer's audience. */
export type UserTokenFinder = (request: Pick<CheckInput, 'headers' | 'path'>) => boolean

/**
 * Makes the finder of users' own tokens that agents kept and send again past the chain. It looks at `tokenHeaders`, at `tokenCopies`,
 * at every other spelling of these names, and at `access_token` in the query (RFC 6750 §2.3); at nothing else, neither cookies nor
 * bodies. Nothing is verified, and a value is read as leniently as any recipient might: in whatever scheme, spelling or wrapping,
 * and however often.
 */
export function createUserTokenFinder(
  issuers: Issuers,
  tokenCopies: readonly string[] = [],
): UserTokenFinder {
  const names = [...new Set([...tokenHeaders, ...tokenCopies])]
  const twinsIn = createTwinFinder(names)
  return ({ headers, path }) => {
    const values = [...accessTokensIn(path)]
    for (const name of names) values.push(...(headers.get(name) ?? none))
    for (const name of twinsIn(headers)) values.push(...(headers.get(name) ?? none))
    return values.length > 0 && carriesToken(values, issuers, maxLayers)
  }
}

const accessTokensIn = createQueryReader(['access_token'])
const none: readonly string[] = []

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

/** Only the characters of a token are decoded; escaping others hides nothing. */
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
