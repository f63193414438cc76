import { type ParsedJws, parseCompactJws } from '../jws/compact.ts'
import { isStringArray, type JsonObject, type JsonValue } from '../jws/json.ts'
import { verifySignature } from '../jws/signature.ts'
import type { FirstHop, Subject } from '../model/chain.ts'
import { type Headers, singleHeader } from '../model/check-input.ts'
import { type Deny, deny, isDeny } from '../model/decision.ts'
import { isInvalid } from '../model/invalid.ts'
import { parseScopes } from '../model/scope.ts'
import { findKindProblem } from './token-kind.ts'
import type { UserIssuer } from './user-issuer.ts'

const maxBytes = 16 * 1024
const maxIdLength = 255
const skewSeconds = 30
const accessTokenTypes = ['at+jwt', 'application/at+jwt', 'JWT']
const bearerPattern = /^Bearer ([A-Za-z0-9._-]+)$/i

/**
 * Verifies the user's own OAuth access token (RFC 9068, and what Keycloak issues) that an ingress peer presents.
 * Only a user's access token begins a chain: no ID token, no client's own token, nothing that was delegated before.
 */
export function verifyUserToken(
  headers: Headers,
  issuers: readonly UserIssuer[],
  nowMs: number,
): FirstHop | Deny {
  const jws = readBearerToken(headers)
  if (isDeny(jws)) return jws
  const issuer = issuers.find((candidate) => candidate.issuer === jws.claims.get('iss'))
  if (issuer === undefined) return invalidToken('`iss` is no issuer for this ingress')
  const verified = verifySignature(jws, issuer.keys)
  if (verified !== true) return invalidToken(`signature: ${verified}`)
  const { claims } = jws
  if (!isAudience(claims.get('aud'), issuer.audience))
    return deny('token_audience', `\`aud\` lacks \`${issuer.audience}\``)
  const times = readTimes(claims, Math.floor(nowMs / 1000))
  if (isDeny(times)) return times
  const problem = findKindProblem(claims, issuer)
  if (problem !== undefined) return invalidToken(problem)
  const subject = readSubject(claims, issuer)
  if (isDeny(subject)) return subject
  const scopes = readScopes(claims)
  return isDeny(scopes) ? scopes : { kind: 'first-hop', subject, scopes, ...times }
}

function readBearerToken(headers: Headers): ParsedJws | Deny {
  const header = singleHeader(headers, 'authorization')
  if (header === undefined) return deny('token_missing', 'no `authorization`')
  if (header === 'repeated') return invalidToken('expected one `authorization`, found several')
  const text = bearerPattern.exec(header.value)?.[1]
  if (text === undefined) return invalidToken('expected `Bearer` and one token')
  const jws = parseCompactJws(text, { maxBytes, typ: accessTokenTypes, strictHeader: false })
  return jws.kind === 'jws-fault' ? invalidToken(jws.reason) : jws
}

function isAudience(value: JsonValue | undefined, audience: string): boolean {
  return value === audience || (isStringArray(value) && value.includes(audience))
}

function readTimes(
  claims: JsonObject,
  now: number,
): Pick<FirstHop, 'issuedAt' | 'expiresAt' | 'authTime'> | Deny {
  const issuedAt = claims.get('iat')
  const expiresAt = claims.get('exp')
  const notBefore = claims.get('nbf') ?? 0
  const authTime = claims.get('auth_time')
  if (
    typeof issuedAt !== 'number' ||
    typeof expiresAt !== 'number' ||
    issuedAt < 0 ||
    expiresAt <= issuedAt
  ) {
    return invalidToken('expected `iat`, and `exp` after it')
  }
  if (issuedAt > now + skewSeconds) return invalidToken('`iat` lies in the future')
  if (typeof notBefore !== 'number' || notBefore > now + skewSeconds)
    return invalidToken('`nbf` lies in the future')
  if (authTime !== undefined && (typeof authTime !== 'number' || authTime < 0))
    return invalidToken('expected `auth_time` to be a time')
  if (now >= expiresAt + skewSeconds) return deny('token_expired', `\`exp\` ${expiresAt}, now ${now}`)
  return { issuedAt, expiresAt, authTime }
}

function readSubject(claims: JsonObject, issuer: UserIssuer): Subject | Deny {
  const id = claims.get(issuer.id)
  if (typeof id !== 'string' || id === '' || id.length > maxIdLength || /\p{Control}/u.test(id)) {
    return invalidToken(`expected \`${issuer.id}\` to name a user`)
  }
  // A provider that leaves a long list out says so; a list that is not there must not read as "in no group".
  if (claims.has('_claim_names') || claims.has('hasgroups')) return invalidToken('the groups overflowed')
  const groups = claims.get(issuer.groups)
  if (!isStringArray(groups)) return invalidToken(`expected \`${issuer.groups}\` to be a list of groups`)
  const allowed = issuer.groupsAllow.filter((group) => groups.includes(group))
  return { issuerName: issuer.name, issuer: issuer.issuer, id, groups: allowed }
}

/** `scope` (RFC 9068), else `scp`, as text or as a list. */
function readScopes(claims: JsonObject): readonly string[] | Deny {
  const claim = claims.get('scope') ?? claims.get('scp') ?? ''
  const text = isStringArray(claim) ? claim.join(' ') : claim
  const scopes = typeof text === 'string' ? parseScopes(text) : undefined
  return scopes === undefined || isInvalid(scopes)
    ? invalidToken('expected `scope` to be a list of scopes')
    : scopes
}

function invalidToken(reason: string): Deny {
  return deny('token_invalid', reason)
}
