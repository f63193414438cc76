import { quote } from '../../base/text/quote.ts'
import type { TokenForm } from '../jws/compact.ts'
import type { JsonValue } from '../jws/json.ts'

/** The media types of an access token without `application/`: RFC 9068, and the form of most providers. */
export const accessTokenTypes = ['at+jwt', 'JWT'] as const

/** Claims of ID tokens (OpenID Connect Core §2, §3.3.2.11) and of event and logout tokens (RFC 8417, Back-Channel Logout). */
const otherTokens: readonly (readonly [claim: string, kind: string])[] = [
  ['at_hash', 'an ID token'],
  ['c_hash', 'an ID token'],
  ['s_hash', 'an ID token'],
  ['events', 'an event or logout token'],
]

/**
 * Explains why a genuine provider token is not an access token. It reads `typ` (Keycloak), `token_use` (Cognito) and the
 * header's `at+jwt` (RFC 9068).
 */
export function findKindProblem({ claims, protectedHeader }: TokenForm): string | undefined {
  const [type, use] = [claims.get('typ'), claims.get('token_use')]
  if (type !== undefined && !isBearer(type))
    return `expected an access token, found one whose claim \`typ\` is ${quote(type)}`
  if (use !== undefined && use !== 'access')
    return `expected an access token, found one whose claim \`token_use\` is ${quote(use)}`
  for (const [claim, kind] of otherTokens)
    if (claims.has(claim)) return `expected an access token, found ${kind}: it has \`${claim}\``
  // Keycloak can also put the login's nonce into access tokens.
  const isDeclared = type !== undefined || use !== undefined || isAccessTokenType(protectedHeader.typ)
  return claims.has('nonce') && !isDeclared
    ? 'expected an access token, found an ID token: it has `nonce`, and nothing says that it is an access token'
    : undefined
}

function isBearer(type: JsonValue): boolean {
  return typeof type === 'string' && type.toLowerCase() === 'bearer'
}

function isAccessTokenType(typ: string | undefined): boolean {
  return typ?.toLowerCase().endsWith('at+jwt') === true
}
