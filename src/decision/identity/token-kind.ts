import type { ProviderRules } from '../../base/providers/rules.ts'
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

/** Explains why a token is bound to a key (RFC 7800, RFC 9449): nobody can verify here that its bearer holds that key. */
export function findBindingProblem({ claims }: TokenForm): string | undefined {
  const [claim, found] = claims.has('cnf') ? ['cnf', claims.get('cnf')] : ['typ', claims.get('typ')]
  if (claim === 'typ' && !(typeof found === 'string' && found.toLowerCase() === 'dpop')) return undefined
  return `the token is sender-constrained: \`${claim}\` is ${quote(found)}; the gateway must verify the proof, and present a token without it`
}

/** Explains why the `typ` of a header is none that the provider writes into access tokens. */
export function findHeaderProblem(
  { protectedHeader }: TokenForm,
  types: ProviderRules['headerTypes'],
): string | undefined {
  const found = protectedHeader.typ?.toLowerCase().replace(/^application\//, '') ?? 'none'
  if (types.some((type) => type.toLowerCase() === found)) return undefined
  const expected = types.map((type) => (type === 'none' ? 'missing' : quote(type))).join(' or ')
  return `expected the header's \`typ\` to be ${expected}, found ${quote(protectedHeader.typ)}`
}

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
