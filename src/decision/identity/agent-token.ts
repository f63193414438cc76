import { createTwinFinder } from '../../base/http/header-name.ts'
import { createQueryReader } from '../../base/http/query-parameter.ts'
import type { CheckInput } from '../../base/model/check-input.ts'
import { rulesOf } from '../../base/providers/provider-rules.ts'
import type { UserIssuer } from './user-issuer.ts'

/** Headers in which gateways pass on a user's access token, besides the configured copies. */
export const tokenHeaders: readonly string[] = [
  'authorization',
  'proxy-authorization',
  'x-forwarded-access-token',
  'x-auth-request-access-token',
]

/** The shortest text worth decoding: a shorter one cannot hold an `iss` and an `aud`. */
const minPartLength = 24
/** A token has three parts or five. */
const maxParts = 64
/** How many layers of encoding a recipient might undo. Basic carries a token in base64, which may itself be encoded. */
const maxLayers = 2

type Issuers = readonly Pick<UserIssuer, 'issuer' | 'audience' | 'clients' | 'provider'>[]
type Claims = Readonly<Record<string, unknown>>

/** Returns true if a request carries a token of an ingress issuer for that issuer's audience. */
export type UserTokenFinder = (request: Pick<CheckInput, 'headers' | 'path'>) => boolean

/**
 * Creates the finder for user tokens that agents kept and now send beside the chain. It reads `tokenHeaders`,
 * `tokenCopies`, every other spelling of these names, and `access_token` in the query (RFC 6750 §2.3). It reads no
 * cookies and no bodies. Nothing is verified. Values are decoded as leniently as any recipient might decode them: any
 * scheme, spelling or wrapping, any number of times.
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
  // Reading thousands of parts would delay all checks, and skipping some could miss a token. So the answer is yes.
  if (parts.length > maxParts) return true
  const decoded = parts.map((part) => Buffer.from(part, 'base64url').toString('utf8'))
  const claims = decoded.map(readClaims)
  if (claims.some((each) => each !== undefined && isForAny(each, issuers))) return true
  // A part that is JSON belongs to a token, however many names it has. It wraps no other token.
  const wrapping = decoded.filter((_, index) => claims[index] === undefined)
  return layers > 0 && wrapping.length > 0 && carriesToken(wrapping, issuers, layers - 1)
}

/** Only escaped token characters matter; escaping other characters hides nothing. */
function withoutEscapes(text: string): string {
  return text.replace(/%([0-7][0-9a-f])/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

function isForAny(claims: Claims, issuers: Issuers): boolean {
  return issuers.some((issuer) => claims['iss'] === issuer.issuer && isForIngress(claims, issuer))
}

/**
 * Without an audience of its own, a token for ingress is one that its client may bring there. A token that an agent
 * exchanged for its callee names the agent as its client.
 */
function isForIngress(claims: Claims, { audience, clients, provider }: Issuers[number]): boolean {
  const aud = claims['aud']
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
  const isOfClient =
    clients === 'any' ||
    rulesOf(provider).clientClaims.some((claim) => clients.some((client) => client === claims[claim]))
  switch (audience) {
    case 'none':
      return isOfClient
    case 'callee':
      return isOfClient && audiences.some((each) => typeof each === 'string' && each.startsWith('spiffe://'))
    default:
      return audiences.some((each) => audience.some((own) => own === each))
  }
}

function readClaims(text: string): Claims | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}
