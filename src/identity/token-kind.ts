import type { JsonObject } from '../jws/json.ts'
import type { UserIssuer } from './user-issuer.ts'

/** Claims that only ID tokens have (OpenID Connect Core §2, §3.3.2.11). */
const idTokenClaims = ['nonce', 'at_hash', 'c_hash', 's_hash']

/** Why a token, genuine as it may be, is not a user's own access token for one of the accepted clients. */
export function findKindProblem(claims: JsonObject, issuer: Pick<UserIssuer, 'clients'>): string | undefined {
  const client = claims.get('azp') ?? claims.get('client_id')
  const type = claims.get('typ')
  if (type !== undefined && type !== 'Bearer')
    return `expected an access token, found one of type \`${type}\``
  if (idTokenClaims.some((name) => claims.has(name))) return 'expected an access token, found an ID token'
  if (typeof client !== 'string' || client === '')
    return 'expected `azp` or `client_id`, which ID tokens lack'
  if (issuer.clients.length > 0 && !issuer.clients.includes(client))
    return `client \`${client}\` is not accepted`
  if (isClientItself(claims, client)) return "expected a user's token, found a client's own"
  // An actor that we did not see act, or a key whose possession we cannot check.
  if (claims.has('act')) return 'expected a token without `act`'
  return claims.has('cnf') ? 'expected a token without `cnf`' : undefined
}

/** Client credentials (RFC 6749 §4.4), as RFC 9068 §2.2, Keycloak, Entra and Auth0 mark them. */
function isClientItself(claims: JsonObject, client: string): boolean {
  const username = claims.get('preferred_username')
  return (
    claims.get('sub') === client ||
    claims.get('sub') === `${client}@clients` ||
    claims.get('idtyp') === 'app' ||
    claims.get('gty') === 'client-credentials' ||
    (typeof username === 'string' && username.toLowerCase().startsWith('service-account-'))
  )
}
