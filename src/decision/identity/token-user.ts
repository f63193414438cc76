import { rulesOf } from '../../base/providers/provider-rules.ts'
import type { Evidence } from '../../base/providers/rules.ts'
import { quote } from '../../base/text/quote.ts'
import { isStringArray, type JsonObject, type JsonValue } from '../jws/json.ts'
import type { UserIssuer } from './user-issuer.ts'

type ClientMark = { readonly claim: string; readonly isMark: (value: JsonValue) => boolean }

/** Claims that mark a token without a user. */
const clientMarks: readonly ClientMark[] = [
  // Keycloak, for a service account. `client_id` is not a mark: other providers write it for users too.
  { claim: 'clientHost', isMark: () => true },
  { claim: 'clientAddress', isMark: () => true },
  { claim: 'clientId', isMark: () => true },
  // Keycloak since 26.2: kind of session and token, and the grant, which no mapper can change. A refreshed token has
  // `rt`.
  { claim: 'jti', isMark: (value) => /^(?:on|of|tr|nt|ft|un)(?:rt|lt|un)cc:/.test(String(value)) },
  // Entra: `app`, `device`, and every value other than `user`.
  { claim: 'idtyp', isMark: (value) => value !== 'user' },
  // Entra: a service principal, a device, an application without one, a federated managed identity.
  { claim: 'xms_idrel', isMark: (value) => hasWord(value, '7', '9', '13', '33') },
  // Entra: an agent identity, or the user account of an agent.
  { claim: 'xms_sub_fct', isMark: (value) => hasWord(value, '11', '13') },
  // Auth0; UAA and ForgeRock.
  { claim: 'gty', isMark: isClientCredentials },
  { claim: 'grant_type', isMark: isClientCredentials },
  // Oracle; WSO2; draft-mcguinness-oauth-actor-profile.
  { claim: 'sub_type', isMark: (value) => value === 'client' },
  { claim: 'aut', isMark: (value) => value === 'APPLICATION' },
  { claim: 'sub_profile', isMark: (value) => !hasWord(value, 'user') },
]

/** An actor whose action Waywarden did not see (RFC 8693 §4.1; Entra: an agent identity). */
const otherMarks: readonly ClientMark[] = [
  { claim: 'act', isMark: () => true },
  { claim: 'xms_act_fct', isMark: (value) => hasWord(value, '11') },
]

/** Claims that may name a user, besides the configured `id` claim. */
const nameClaims = ['sub', 'preferred_username', 'username', 'user_name', 'upn', 'unique_name', 'email']

/** Names of clients and workloads: Keycloak, Auth0, Google, Kubernetes, SPIFFE. */
const clientName = /^service-account-|@clients$|\.gserviceaccount\.com$|^system:serviceaccount:|^spiffe:\/\//i

/**
 * Explains why a genuine access token is not proven to be a user's. Known marks of client tokens refuse it. The
 * evidence of the provider and `userClaim` prove that a user took part, because a realm can remove every mark.
 */
export function findUserProblem(
  claims: JsonObject,
  client: string,
  issuer: Omit<UserIssuer, 'keys'>,
): string | undefined {
  const mark = clientMarks.find((each) => isMarked(claims, each))
  if (mark !== undefined)
    return `expected a user's token, found a client's own: \`${mark.claim}\` is ${quote(claims.get(mark.claim))}`
  const name = [issuer.id, ...nameClaims].find((claim) => isNameOfClient(claims.get(claim), client))
  if (name !== undefined)
    return `expected a user's token, found a client's own: \`${name}\` is ${quote(claims.get(name))}`
  const other = otherMarks.find((each) => isMarked(claims, each))
  if (other !== undefined)
    return `expected a token that was issued to a user alone, found \`${other.claim}\` ${quote(claims.get(other.claim))}`
  return findEvidenceProblem(claims, issuer)
}

function findEvidenceProblem(claims: JsonObject, issuer: Omit<UserIssuer, 'keys'>): string | undefined {
  const { userClaim, provider } = issuer
  const { evidence } = rulesOf(provider)
  const wanted: readonly Evidence[] =
    userClaim === undefined ? evidence : [...evidence, { kind: 'shown', claim: userClaim }]
  if (wanted.length === 0) return 'expected `userClaim` to name a claim that shows a user, found none'
  const missing = wanted.find((each) => !isEvident(each, claims.get(each.claim), issuer.issuer))
  return missing && `${sayExpected(missing)}, found ${quote(claims.get(missing.claim))}`
}

function isEvident(evidence: Evidence, value: JsonValue | undefined, issuer: string): boolean {
  switch (evidence.kind) {
    case 'shown':
      return isShown(value)
    case 'equals':
      return typeof value === 'string' && value.toLowerCase() === evidence.value.toLowerCase()
    case 'contains':
      return typeof value === 'string' && value.includes(evidence.text)
    case 'in-issuer':
      return typeof value === 'string' && value !== '' && issuer.split('/').includes(value)
  }
}

function sayExpected(evidence: Evidence): string {
  const { claim } = evidence
  switch (evidence.kind) {
    case 'shown':
      return `expected \`${claim}\` to show that a user took part`
    case 'equals':
      return `expected \`${claim}\` to be \`${evidence.value}\`, as in an access token of a user`
    case 'contains':
      return `expected \`${claim}\` to contain \`${evidence.text}\`, as the name of a user does`
    case 'in-issuer':
      return `expected \`${claim}\` to be the tenant of \`iss\``
  }
}

function isMarked(claims: JsonObject, { claim, isMark }: ClientMark): boolean {
  const value = claims.get(claim)
  return value !== undefined && isMark(value)
}

function isNameOfClient(value: JsonValue | undefined, client: string): boolean {
  if (typeof value !== 'string') return false
  return value === client || clientName.test(value)
}

/**
 * True if a value asserts something: a text with a letter or digit that is not a word for "no", a list of texts, a time,
 * or `true`. Entra writes `scp: "/"` for an application.
 */
function isShown(value: JsonValue | undefined): boolean {
  if (typeof value === 'string')
    return /[\p{L}\p{N}]/u.test(value) && !/^(?:false|no|none|null|0)$/i.test(value)
  if (typeof value === 'number') return Number.isFinite(value) && value > 0
  return value === true || (isStringArray(value) && value.some(isShown))
}

function isClientCredentials(value: JsonValue): boolean {
  const texts = isStringArray(value) ? value : [value]
  return texts.some((text) => typeof text === 'string' && /client[-_]credentials/i.test(text))
}

function hasWord(value: JsonValue, ...words: readonly string[]): boolean {
  const found = Array.isArray(value) ? value.map(String) : String(value).split(/\s+/)
  return words.some((word) => found.includes(word))
}
