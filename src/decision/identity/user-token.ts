import { hash } from 'node:crypto'
import type { FirstHop } from '../../base/model/chain.ts'
import { type Headers, singleHeader } from '../../base/model/check-input.ts'
import { type Deny, deny, isDeny } from '../../base/model/decision.ts'
import { isInvalid } from '../../base/model/invalid.ts'
import type { KeyNeed, Need } from '../../base/model/need.ts'
import { parseScopes } from '../../base/model/scope.ts'
import { formatTime, quote, quoteAll } from '../../base/text/quote.ts'
import { parseCompactJws, type TokenForm } from '../jws/compact.ts'
import { isJsonObject, isStringArray, type JsonObject, type JsonValue } from '../jws/json.ts'
import { findSigningKey, isKeyUnknown } from '../jws/provider-keys.ts'
import { findClientProblem, readClient } from './token-client.ts'
import { accessTokenTypes, findKindProblem } from './token-kind.ts'
import { type PresentedToken, type ProvenTokens, recallForm, requireProof } from './token-proof.ts'
import { findUserProblem } from './token-user.ts'
import type { UserIssuer } from './user-issuer.ts'

const maxBytes = 16 * 1024
const maxIdLength = 255
const skewSeconds = 30
const bearerPattern = /^Bearer ([A-Za-z0-9._-]+)$/i
/** The claims that say whether the provider has verified another claim (OpenID Connect Core §5.1). */
const verifiedBy: ReadonlyMap<string, string> = new Map([
  ['email', 'email_verified'],
  ['phone_number', 'phone_number_verified'],
])

/**
 * Verifies the user's own OAuth access token (RFC 9068, and the forms of Keycloak, Entra and Okta) from an ingress peer.
 * Only a user's access token begins a chain: no ID token, no client's own token, and no delegated token. Only the claims
 * read here matter. A reason names the claim that was wrong. Form and signature of a token never change; everything else
 * is asked anew.
 */
export function verifyUserToken(
  headers: Headers,
  issuers: readonly UserIssuer[],
  nowMs: number,
  proven: ProvenTokens,
): FirstHop | Deny | Need {
  const presented = readBearerToken(headers)
  if (isDeny(presented)) return presented
  const form =
    recallForm(presented, issuers, proven) ??
    parseCompactJws(presented.text, { maxBytes, typ: accessTokenTypes, reading: 'provider' })
  if (form.kind === 'jws-fault') return invalidToken(form.reason)
  const issuer = issuers.find((candidate) => candidate.issuer === form.claims.get('iss'))
  if (issuer === undefined)
    return invalidToken(
      `\`iss\` is ${quote(form.claims.get('iss'))}, which this ingress peer may not present`,
    )
  const hop = verifyForm(presented, form, issuer, nowMs, proven)
  return isDeny(hop) ? { ...hop, issuer: issuer.name } : hop
}

function verifyForm(
  presented: PresentedToken,
  form: TokenForm,
  issuer: UserIssuer,
  nowMs: number,
  proven: ProvenTokens,
): FirstHop | Deny | Need {
  const key = findSigningKey(form, issuer.keys)
  if (isInvalid(key)) {
    // A provider may sign with a key that nobody could read yet. Only a token that is right in all else causes a fetch.
    const isFetched = issuer.canFetchKeys === true && isKeyUnknown(form, issuer.keys)
    const claimed = isFetched ? readClaims(form, issuer, nowMs) : undefined
    return claimed === undefined || isDeny(claimed)
      ? invalidToken(key.reason)
      : needKey(issuer, form.protectedHeader.kid)
  }
  return requireProof(presented, form, key, issuer, proven) ?? readClaims(form, issuer, nowMs)
}

/** Reads the claims of a token and refuses wrong ones. It does not prove who wrote them. */
function readClaims(jws: TokenForm, issuer: UserIssuer, nowMs: number): FirstHop | Deny {
  const { claims } = jws
  // An ID token has a client as audience. The kind is checked first, because otherwise the reason would mislead.
  const otherKind = findKindProblem(jws)
  if (otherKind !== undefined) return invalidToken(otherKind)
  if (!isAudience(claims.get('aud'), issuer.audience))
    return deny(
      'token_audience',
      `\`aud\` lacks ${quote(issuer.audience)}, found ${quoteAll(claims.get('aud'))}`,
    )
  const times = readTimes(claims, Math.floor(nowMs / 1000))
  if (isDeny(times)) return times
  const client = readClient(claims)
  if (isInvalid(client)) return invalidToken(client.reason)
  const problem = findClientProblem(client, issuer.clients) ?? findUserProblem(claims, client.id, issuer)
  if (problem !== undefined) return invalidToken(problem)
  const user = readSubject(claims, issuer)
  if (isDeny(user)) return user
  const scopes = readScopes(claims)
  return isDeny(scopes) ? scopes : { kind: 'first-hop', ...user, scopes, ...times }
}

function needKey({ name }: UserIssuer, kid: string): KeyNeed {
  const reason = `the keys of \`${name}\` have none with the \`kid\` ${quote(kid)}`
  const unmet = { ...deny('token_key_unknown', reason), issuer: name, retryAfterSeconds: 1 }
  const key = `provider key ${name} ${kid}`
  return { kind: 'need', what: 'provider_key', key, issuer: name, kid, unmet }
}

function readBearerToken(headers: Headers): PresentedToken | Deny {
  const header = singleHeader(headers, 'authorization')
  if (header === undefined) return deny('token_missing', 'no `authorization`')
  if (header === 'repeated') return invalidToken('expected one `authorization`, found several')
  const text = bearerPattern.exec(header.value)?.[1]
  if (text === undefined) return invalidToken('expected `Bearer` and one token')
  return { text, digest: hash('sha256', text, 'base64url') }
}

function isAudience(value: JsonValue | undefined, audience: string): boolean {
  return value === audience || (isStringArray(value) && value.includes(audience))
}

/**
 * Times in JWT may have fractions (RFC 7519 §2); chains have none. `exp` and `auth_time` are rounded down, because an
 * earlier time grants less. `iat` is rounded down too, because a revocation applies to earlier tokens.
 */
function readTimes(
  claims: JsonObject,
  now: number,
): Pick<FirstHop, 'issuedAt' | 'expiresAt' | 'authTime'> | Deny {
  const [iat, exp, nbf, authenticated] = ['iat', 'exp', 'nbf', 'auth_time'].map((claim) => claims.get(claim))
  if (!isTime(iat)) return invalidToken(`expected \`iat\` to be a time, found ${quote(iat)}`)
  if (!isTime(exp)) return invalidToken(`expected \`exp\` to be a time, found ${quote(exp)}`)
  if (nbf !== undefined && !isTime(nbf))
    return invalidToken(`expected \`nbf\` to be a time, found ${quote(nbf)}`)
  if (authenticated !== undefined && !isTime(authenticated))
    return invalidToken(`expected \`auth_time\` to be a time, found ${quote(authenticated)}`)
  const [issuedAt, expiresAt] = [Math.floor(iat), Math.floor(exp)]
  if (expiresAt <= issuedAt)
    return invalidToken(`expected \`exp\` after \`iat\`, found \`exp\` ${exp} and \`iat\` ${iat}`)
  for (const [claim, time] of [
    ['iat', iat],
    ['nbf', nbf ?? 0],
  ] as const)
    if (time > now + skewSeconds)
      return invalidToken(`\`${claim}\` lies in the future: ${formatTime(time)}, now ${formatTime(now)}`)
  if (now >= expiresAt + skewSeconds)
    return deny('token_expired', `\`exp\` ${formatTime(expiresAt)}, now ${formatTime(now)}`)
  return {
    issuedAt,
    expiresAt,
    authTime: authenticated === undefined ? undefined : Math.floor(authenticated),
  }
}

/** True for seconds since the epoch that a chain can carry. */
function isTime(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER
}

function readSubject(
  claims: JsonObject,
  issuer: UserIssuer,
): Pick<FirstHop, 'subject' | 'unlistedGroups'> | Deny {
  const id = claims.get(issuer.id)
  if (typeof id !== 'string' || !isName(id))
    return invalidToken(`expected \`${issuer.id}\` to name a user, found ${quote(id)}`)
  const verified = verifiedBy.get(issuer.id)
  if (verified !== undefined && claims.get(verified) !== true)
    return invalidToken(
      `expected \`${verified}\` to be \`true\` beside \`${issuer.id}\`, found ${quote(claims.get(verified))}`,
    )
  const groups = readGroups(claims, issuer)
  if (isDeny(groups)) return groups
  const allowed = issuer.groupsAllow.filter((group) => groups.includes(group))
  const subject = { issuerName: issuer.name, issuer: issuer.issuer, id, groups: allowed }
  return allowed.length === 0 && groups.length > 0 ? { subject, unlistedGroups: groups } : { subject }
}

function isName(id: string): boolean {
  return id !== '' && id.length <= maxIdLength && !/\p{Control}/u.test(id) && id.isWellFormed()
}

function readGroups(
  claims: JsonObject,
  { groups: claim, groupsAbsent }: UserIssuer,
): readonly string[] | Deny {
  // Entra omits a long list and says so. The omitted list must not be read as "in no group".
  if (isOverflow(claims, claim))
    return invalidToken(`\`${claim}\` overflowed: the provider left the list out`)
  if (groupsAbsent === 'none' && !claims.has(claim)) return []
  const groups = claims.get(claim)
  return isStringArray(groups)
    ? groups
    : invalidToken(
        `expected \`${claim}\` to be a list of groups, found ${quote(groups)}${hintAtNesting(claims, claim)}`,
      )
}

/** Keycloak nests roles in an object, and its users tend to configure that path first. */
function hintAtNesting(claims: JsonObject, claim: string): string {
  const [outer = ''] = claim.split('.')
  if (claims.has(claim) || outer === claim || !isJsonObject(claims.get(outer))) return ''
  return `; \`${outer}\` is an object, and only claims at the top level are read: map the list to one at the provider`
}

/** True for a distributed claim (OpenID Connect Core §5.6.2), or for Entra's replacement in the implicit flow. */
function isOverflow(claims: JsonObject, claim: string): boolean {
  const elsewhere = claims.get('_claim_names')
  if (isJsonObject(elsewhere) ? elsewhere.has(claim) : elsewhere !== undefined) return true
  if (claim === 'groups' && claims.has('hasgroups')) return true
  return [...claims.keys()].some((name) => name.startsWith(`${claim}:src`))
}

/** Reads `scope` (RFC 9068), else `scp`, as text or as a list. */
function readScopes(claims: JsonObject): readonly string[] | Deny {
  const claim = claims.get('scope') ?? claims.get('scp') ?? ''
  const text = isStringArray(claim) ? claim.join(' ') : claim
  const scopes = typeof text === 'string' ? parseScopes(text) : undefined
  return scopes === undefined || isInvalid(scopes)
    ? invalidToken(`expected \`scope\` to be a list of scopes, found ${quoteAll(claim)}`)
    : scopes
}

function invalidToken(reason: string): Deny {
  return deny('token_invalid', reason)
}
