import type { FirstHop } from '../../base/model/chain.ts'
import { type Deny, deny, isDeny } from '../../base/model/decision.ts'
import { isInvalid } from '../../base/model/invalid.ts'
import { parseScopes } from '../../base/model/scope.ts'
import type { SpiffeId, TrustDomain } from '../../base/model/spiffe-id.ts'
import { rulesOf } from '../../base/providers/provider-rules.ts'
import { formatTime, quote, quoteAll } from '../../base/text/quote.ts'
import type { TokenForm } from '../jws/compact.ts'
import { isJsonObject, isStringArray, type JsonObject, type JsonValue } from '../jws/json.ts'
import { firstOf, readClaimAt } from './claim-path.ts'
import { findClientProblem, readClient } from './token-client.ts'
import { findBindingProblem, findHeaderProblem, findKindProblem } from './token-kind.ts'
import { findUserProblem } from './token-user.ts'
import type { UserIssuer } from './user-issuer.ts'

const maxIdLength = 255
const skewSeconds = 30
/** The claims that say whether the provider has verified another claim (OpenID Connect Core §5.1). */
const verifiedBy: ReadonlyMap<string, string> = new Map([
  ['email', 'email_verified'],
  ['phone_number', 'phone_number_verified'],
])

/** Context of the claims: the provider as configured, the called service, and the time. */
export type ClaimContext = {
  readonly issuer: Omit<UserIssuer, 'keys'>
  /** The names that a token may have for the called service: its SPIFFE ID, and the same in other trust domains. */
  readonly callees: readonly string[]
  readonly nowMs: number
}

/** Names a service as tokens do. An alias is a trust domain that a provider writes in place of ours. */
export function namesInTokens({ uri, path }: SpiffeId, aliases: readonly TrustDomain[]): readonly string[] {
  return [uri, ...aliases.map((alias) => `spiffe://${alias}${path}`)]
}

/** Reads the claims of a token and refuses wrong ones. It does not prove who wrote them. */
export function readClaims(form: TokenForm, context: ClaimContext): FirstHop | Deny {
  for (const { find } of tokenRules) {
    const problem = find(form, context)
    if (problem !== undefined) return problem
  }
  const { claims } = form
  const { issuer, nowMs } = context
  const times = readTimes(claims, Math.floor(nowMs / 1000))
  if (isDeny(times)) return times
  const user = readSubject(claims, issuer)
  if (isDeny(user)) return user
  const scopes = readScopes(claims)
  return isDeny(scopes) ? scopes : { kind: 'first-hop', ...user, scopes, ...times }
}

/** A rule about claims or header, and why a token breaks it. */
export type TokenRule = {
  readonly name: string
  readonly find: (form: TokenForm, context: ClaimContext) => Deny | undefined
}

/**
 * The rules that every token must meet, in the order of their reasons. The kind comes before the audience: an ID token has a
 * client as audience, and that reason would mislead.
 */
export const tokenRules: readonly TokenRule[] = [
  { name: 'bound to a key', find: (form) => toDeny(findBindingProblem(form)) },
  { name: 'kind of token', find: (form) => toDeny(findKindProblem(form)) },
  {
    name: 'header',
    find: (form, { issuer }) => toDeny(findHeaderProblem(form, rulesOf(issuer.provider).headerTypes)),
  },
  {
    name: 'audience',
    find: ({ claims }, { issuer, callees }) => findAudienceProblem(claims, issuer, callees),
  },
  {
    name: 'times',
    find({ claims }, { nowMs }) {
      const times = readTimes(claims, Math.floor(nowMs / 1000))
      return isDeny(times) ? times : undefined
    },
  },
  { name: 'client', find: ({ claims }, { issuer }) => toDeny(findClaimedClientProblem(claims, issuer)) },
  { name: 'user', find: ({ claims }, { issuer }) => toDeny(findClaimedUserProblem(claims, issuer)) },
  {
    name: 'id and groups',
    find({ claims }, { issuer }) {
      const user = readSubject(claims, issuer)
      return isDeny(user) ? user : undefined
    },
  },
  {
    name: 'scopes',
    find({ claims }) {
      const scopes = readScopes(claims)
      return isDeny(scopes) ? scopes : undefined
    },
  },
]

function findClaimedClientProblem(claims: JsonObject, issuer: ClaimContext['issuer']): string | undefined {
  const client = readClient(claims, rulesOf(issuer.provider).clientClaims)
  return isInvalid(client) ? client.reason : findClientProblem(client, issuer.clients)
}

function findClaimedUserProblem(claims: JsonObject, issuer: ClaimContext['issuer']): string | undefined {
  const client = readClient(claims, rulesOf(issuer.provider).clientClaims)
  return isInvalid(client) ? client.reason : findUserProblem(claims, client.id, issuer)
}

function findAudienceProblem(
  claims: JsonObject,
  { audience }: ClaimContext['issuer'],
  callees: readonly string[],
): Deny | undefined {
  const found = claims.get('aud')
  if (audience === 'none') {
    if (found === undefined) return undefined
    return deny('token_audience', `expected no \`aud\`, found ${quoteAll(found)}; name it in \`audience\``)
  }
  const accepted = audience === 'callee' ? callees : audience
  if (accepted.some((each) => isAudience(found, each))) return undefined
  const wanted = accepted.map((each) => quote(each)).join(' or ')
  return deny('token_audience', `\`aud\` lacks ${wanted}, found ${quoteAll(found)}`)
}

function toDeny(problem: string | undefined): Deny | undefined {
  return problem === undefined ? undefined : invalidToken(problem)
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
  issuer: ClaimContext['issuer'],
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
  const { hasGroupPaths } = rulesOf(issuer.provider)
  const allowed = issuer.groupsAllow.filter(
    (group) => groups.includes(group) || (hasGroupPaths && groups.includes(`/${group}`)),
  )
  const subject = { issuerName: issuer.name, issuer: issuer.issuer, id, groups: allowed }
  return allowed.length === 0 && groups.length > 0 ? { subject, unlistedGroups: groups } : { subject }
}

function isName(id: string): boolean {
  return id !== '' && id.length <= maxIdLength && !/\p{Control}/u.test(id) && id.isWellFormed()
}

function readGroups(
  claims: JsonObject,
  { groups: path, groupsAbsent }: ClaimContext['issuer'],
): readonly string[] | Deny {
  // Entra omits a long list and says so. The omitted list must not be read as "in no group".
  if (isOverflow(claims, firstOf(path)))
    return invalidToken(`\`${path}\` overflowed: the provider left the list out`)
  const found = readClaimAt(claims, path)
  if (found.kind === 'absent')
    return groupsAbsent === 'none'
      ? []
      : invalidToken(`expected \`${path}\` to be a list of groups, found none${hintAtAbsence(claims, path)}`)
  const groups = found.kind === 'claim' ? found.value : undefined
  return isStringArray(groups)
    ? groups
    : invalidToken(
        `expected \`${path}\` to be a list of groups, found ${found.kind === 'blocked' ? 'a value without members on the way' : quote(groups)}`,
      )
}

/** Keycloak nests roles in an object, and its users tend to configure that path with dots. */
function hintAtAbsence(claims: JsonObject, path: string): string {
  const [outer = ''] = path.split('.')
  if (outer !== path && isJsonObject(claims.get(outer)))
    return `; \`${outer}\` is an object: write \`groups: /${path.replaceAll('.', '/')}\``
  return '; `groupsAbsent: none` accepts a user in no group'
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
