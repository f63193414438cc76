import { isDeny } from '../base/model/decision.ts'
import { isIssuerOf, providerNames, rulesOf } from '../base/providers/provider-rules.ts'
import { quote, quoteAll } from '../base/text/quote.ts'
import {
  type ClaimContext,
  readClaims,
  type TokenRule,
  tokenRules,
} from '../decision/identity/token-claims.ts'
import type { TokenForm } from '../decision/jws/compact.ts'
import { isJsonObject, isStringArray, type JsonObject, type JsonValue } from '../decision/jws/json.ts'

/** The finding of one rule; `settings` are those that each would make the rule accept the token. */
export type Finding = {
  readonly rule: string
  /** The claims that the rule reads, with their values. */
  readonly found: readonly string[]
  readonly problem: string | undefined
  readonly settings: readonly string[]
}

type Issuer = ClaimContext['issuer']
type Change = { readonly text: string; readonly issuer: Partial<Issuer> }

const nameClaims = ['sub', 'oid', 'preferred_username', 'username', 'upn', 'email']
/** Claims that may show a user, beside what the providers' rules demand. */
const shownClaims = ['sid', 'auth_time', 'uid']
const maxPlaces = 8

/** Applies every rule to a token, and tries which settings would satisfy a rule that refuses it. */
export function inspectToken(form: TokenForm, context: ClaimContext): readonly Finding[] {
  return tokenRules.map((rule) => {
    const problem = rule.find(form, context)?.reason
    return {
      rule: rule.name,
      found: foundBy(rule, form, context.issuer),
      problem,
      settings: problem === undefined ? [] : settingsFor(rule, form, context),
    }
  })
}

/** True if a token with these claims begins a chain, once its signature verifies. */
export function isAccepted(form: TokenForm, context: ClaimContext): boolean {
  return !isDeny(readClaims(form, context))
}

function foundBy({ name }: TokenRule, { claims, protectedHeader }: TokenForm, issuer: Issuer): string[] {
  const { evidence, clientClaims } = rulesOf(issuer.provider)
  const shown = [
    ...evidence.map(({ claim }) => claim),
    ...(issuer.userClaim === undefined ? [] : [issuer.userClaim]),
  ]
  const read: Readonly<Record<TokenRule['name'], readonly string[]>> = {
    'bound to a key': ['cnf'],
    'kind of token': ['typ', 'token_use', 'nonce'],
    header: [],
    audience: ['aud'],
    times: ['iat', 'nbf', 'exp', 'auth_time'],
    client: clientClaims,
    user: shown,
    'id and groups': [issuer.id, ...(issuer.groups.startsWith('/') ? [] : [issuer.groups])],
    scopes: ['scope', 'scp'],
  }
  if (name === 'header') return [`typ ${quote(protectedHeader.typ)}`]
  return [...new Set(read[name])]
    .filter((claim) => claims.has(claim))
    .map((claim) => `${claim} ${quoteAll(claims.get(claim))}`)
}

function settingsFor(rule: TokenRule, form: TokenForm, context: ClaimContext): readonly string[] {
  const accepts = ({ issuer }: Change) =>
    rule.find(form, { ...context, issuer: { ...context.issuer, ...issuer } }) === undefined
  return changesFor(rule, form.claims, context.issuer)
    .filter(accepts)
    .map(({ text }) => text)
}

function changesFor({ name }: TokenRule, claims: JsonObject, issuer: Issuer): readonly Change[] {
  switch (name) {
    case 'audience':
      return audienceChanges(claims)
    case 'client':
      return [...clientChanges(claims, issuer), ...providerChanges(issuer)]
    case 'header':
      return providerChanges(issuer)
    case 'user':
      return [
        ...providerChanges(issuer),
        ...shownClaims.map((userClaim) => ({
          text: `userClaim: ${userClaim}, if only a user's token has that claim`,
          issuer: { userClaim },
        })),
      ]
    case 'id and groups':
      return nameAndGroupChanges(claims, issuer)
    default:
      return []
  }
}

function audienceChanges(claims: JsonObject): readonly Change[] {
  const aud = claims.get('aud')
  const audiences = isStringArray(aud) ? aud : typeof aud === 'string' ? [aud] : []
  return [
    ...audiences.map((each) => ({
      text: `audience: ${each}, if it means the agents and nothing else`,
      issuer: { audience: [each] },
    })),
    { text: 'audience: callee', issuer: { audience: 'callee' as const } },
  ]
}

function clientChanges(claims: JsonObject, issuer: Issuer): readonly Change[] {
  const named = rulesOf(issuer.provider).clientClaims.map((claim) => claims.get(claim))
  const clients = [...new Set(named.filter((each) => typeof each === 'string'))]
  return clients.map((client) => ({
    text: `clients: [${client}], if users log in to it`,
    issuer: { clients: [client] },
  }))
}

function providerChanges(issuer: Issuer): readonly Change[] {
  return providerNames
    .filter((provider) => provider !== 'generic' && provider !== issuer.provider)
    .filter((provider) => isIssuerOf(provider, issuer.issuer))
    .map((provider) => ({ text: `provider: ${provider}`, issuer: { provider, userClaim: undefined } }))
}

/** An id and a place of groups may be wrong together, so each id is tried with each place. */
function nameAndGroupChanges(claims: JsonObject, issuer: Issuer): readonly Change[] {
  const ids = [issuer.id, ...nameClaims.filter((claim) => claim !== issuer.id)].map((id) => ({
    text: id === issuer.id ? '' : `id: ${id}`,
    issuer: { id },
  }))
  const places = [
    { text: '', issuer: {} },
    { text: 'groupsAbsent: none, if a user may be in no group', issuer: { groupsAbsent: 'none' as const } },
    ...listsIn(claims).map((groups) => ({ text: `groups: ${groups}`, issuer: { groups } })),
  ]
  return ids.flatMap((id) =>
    places.map((place) => ({
      text: [id.text, place.text].filter((text) => text !== '').join(' and '),
      issuer: { ...id.issuer, ...place.issuer },
    })),
  )
}

/** Finds lists of texts, as the setting `groups` names them; `aud` and scopes are none of groups. */
function listsIn(claims: JsonObject): readonly string[] {
  const found: string[] = []
  const visit = (value: JsonValue | undefined, path: readonly string[]): void => {
    if (isStringArray(value)) found.push(toSetting(path))
    else if (isJsonObject(value)) for (const [name, inner] of value) visit(inner, [...path, name])
  }
  for (const [name, value] of claims)
    if (!['aud', 'scp', 'scope', 'amr', 'allowed-origins'].includes(name)) visit(value, [name])
  return found.slice(0, maxPlaces)
}

function toSetting(path: readonly string[]): string {
  const [only = ''] = path
  if (path.length === 1 && !only.startsWith('/')) return only
  return path.map((name) => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}
