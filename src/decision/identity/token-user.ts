import { quote } from '../../base/text/quote.ts'
import { isStringArray, type JsonObject, type JsonValue } from '../jws/json.ts'
import type { UserIssuer } from './user-issuer.ts'

type MetaLine = { readonly claim: string; readonly isMark: (value: JsonValue) => boolean }

/** Claims by which providers mark a token that no user stands behind. */
const clientMarks: readonly MetaLine[] = [
  // Keycloak, for a service account. `client_id` is no mark: other providers write it for users.
  { claim: 'clientHost', isMark: () => true },
  { claim: 'clientAddress', isMark: () => true },
  { claim: 'clientId', isMark: () => true },
  // Keycloak, since 26.2: kinds of session and token, and the grant, which no mapper can change. A refreshed token says `rt`.
  { claim: 'jti', isMark: (value) => /^(?:on|of|tr|nt|ft|un)(?:rt|lt|un)cc:/.test(String(value)) },
  // Entra: `app`, `device`, and whatever is not `user`.
  { claim: 'idtyp', isMark: (value) => value !== 'user' },
  // Entra: a service principal, a device, an application without one, a federated managed identity.
  { claim: 'xms_idrel', isMark: (value) => hasWord(value, '7', '9', '13', '33') },
  // Entra: an agent identity, or the user account that is an agent's.
  { claim: 'xms_sub_fct', isMark: (value) => hasWord(value, '11', '13') },
  // Auth0; UAA and ForgeRock.
  { claim: 'gty', isMark: isClientCredentials },
  { claim: 'grant_type', isMark: isClientCredentials },
  // Oracle; WSO2; draft-mcguinness-oauth-actor-profile.
  { claim: 'sub_type', isMark: (value) => value === 'client' },
  { claim: 'aut', isMark: (value) => value === 'APPLICATION' },
  { claim: 'sub_profile', isMark: (value) => !hasWord(value, 'user') },
]

/** An actor that we did not see act (RFC 8693 §4.1; Entra: an agent identity), or a key whose possession we cannot check. */
const otherMarks: readonly MetaLine[] = [
  { claim: 'act', isMark: () => true },
  { claim: 'xms_act_fct', isMark: (value) => hasWord(value, '11') },
  { claim: 'cnf', isMark: () => true },
]

/** Where providers name a user, besides the claim that is configured as `id`. */
const nameClaims = ['sub', 'preferred_username', 'username', 'user_name', 'upn', 'unique_name', 'email']

/** Names of clients and workloads: Keycloak, Auth0, Google, Kubernetes, SPIFFE. */
const clientName = /^service-account-|@clients$|\.gserviceaccount\.com$|^system:serviceaccount:|^spiffe:\/\//i

/**
 * Why a genuine access token is not proven to be a user's own. Known marks of a client's token refuse it; `userClaim` is the
 * proof that a user took part, since a realm can take every mark away.
 */
export function findUserProblem(claims: JsonObject, client: string, issuer: UserIssuer): string | undefined {
  const mark = clientMarks.find((each) => isMarked(claims, each))
  if (mark !== undefined)
    return `expected a user's token, found a client's own: \`${mark.claim}\` is ${quote(claims.get(mark.claim))}`
  const name = [issuer.id, ...nameClaims].find((claim) => isNameOfClient(claims.get(claim), client))
  if (name !== undefined)
    return `expected a user's token, found a client's own: \`${name}\` is ${quote(claims.get(name))}`
  // Cognito names the user of every access token but a client's own.
  if (claims.get('token_use') === 'access' && !isShown(claims.get('username')))
    return "expected a user's token, found a client's own: `token_use` is `access`, and `username` is missing"
  const other = otherMarks.find((each) => isMarked(claims, each))
  if (other !== undefined)
    return `expected a token that was issued to a user alone, found \`${other.claim}\` ${quote(claims.get(other.claim))}`
  const { userClaim } = issuer
  return userClaim === undefined || isShown(claims.get(userClaim))
    ? undefined
    : `expected \`${userClaim}\` to show that a user took part, found ${quote(claims.get(userClaim))}`
}

function isMarked(claims: JsonObject, { claim, isMark }: MetaLine): boolean {
  const value = claims.get(claim)
  return value !== undefined && isMark(value)
}

function isNameOfClient(value: JsonValue | undefined, client: string): boolean {
  if (typeof value !== 'string') return false
  return value === client || clientName.test(value)
}

/**
 * Whether a value says something: a text with a letter or digit that is no word for "no", texts, a time, `true`.
 * Entra writes `scp: "/"` for an application.
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
