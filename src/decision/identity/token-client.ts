import { type Invalid, invalid } from '../../base/model/invalid.ts'
import { quote } from '../../base/text/quote.ts'
import type { JsonObject } from '../jws/json.ts'
import type { UserIssuer } from './user-issuer.ts'

/** The claims that name the client: OpenID Connect, RFC 9068, Okta and UAA, Entra v1. No two of them may differ. */
const clientClaims = ['azp', 'client_id', 'cid', 'appid'] as const

/** The client to which the provider issued a token. */
export type TokenClient = { readonly kind: 'client'; readonly id: string }

/**
 * Reads the client. An access token names it in one claim, or in several that agree; one of them is a claim in which its
 * provider names clients.
 */
export function readClient(
  claims: JsonObject,
  ofProvider: readonly string[] = clientClaims,
): TokenClient | Invalid {
  const named = clientClaims.filter((claim) => claims.has(claim))
  const first = ofProvider.find((claim) => claims.has(claim))
  if (first === undefined)
    return invalid(`expected ${ofProvider.map(quote).join(' or ')} to name the client; ID tokens lack it`)
  const id = claims.get(first)
  if (typeof id !== 'string' || id === '') return invalid(`expected \`${first}\` to name the client`)
  const other = named.find((claim) => claims.get(claim) !== id)
  return other === undefined
    ? { kind: 'client', id }
    : invalid(
        `expected one client, found \`${first}\` ${quote(id)} and \`${other}\` ${quote(claims.get(other))}`,
      )
}

/** Explains why tokens of this client are not accepted; `undefined` if they are. */
export function findClientProblem({ id }: TokenClient, accepted: UserIssuer['clients']): string | undefined {
  return accepted === 'any' || accepted.includes(id)
    ? undefined
    : `client ${quote(id)} is not accepted: \`clients\` does not list it`
}
