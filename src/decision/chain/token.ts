import { remember } from '../../base/cache/remember.ts'
import type { Subject } from '../../base/model/chain.ts'
import { type Deny, deny, isDeny } from '../../base/model/decision.ts'
import { isInvalid } from '../../base/model/invalid.ts'
import { parseScopes } from '../../base/model/scope.ts'
import { parseSpiffeId, type SpiffeId } from '../../base/model/spiffe-id.ts'
import { type ParsedJws, parseCompactJws } from '../jws/compact.ts'
import { isJsonObject, isStringArray, type JsonObject, type JsonValue } from '../jws/json.ts'

/** The content of a chain token. Times are seconds since the epoch. */
export type ChainToken = {
  readonly issuer: string
  readonly subject: Omit<Subject, 'issuerName'>
  /** The only workload that may present the token. */
  readonly holder: SpiffeId
  readonly issuedAt: number
  readonly expiresAt: number
  readonly jti: string
  readonly txn: string
  readonly scopes: readonly string[]
  readonly authTime: number | undefined
  readonly rootIssuedAt: number
  readonly ceiling: number
  /** The actors, latest first. */
  readonly actors: readonly SpiffeId[]
  /** Calls of an agent to itself that added no actor. */
  readonly selfCalls: number
  readonly parHash: string | undefined
  readonly isRecovered: boolean
}

/** The `typ` of a chain token (RFC 8725 §3.11). */
export const chainType = 'actor-chain+jwt'

/** The maximum token size in bytes. HTTP servers allow 8 to 16 KiB for all headers together. */
export const maxTokenBytes = 4096

/** The accepted clock difference between two replicas. */
export const skewSeconds = 30

const version = 1
const maxTextLength = 512
const claimNames = new Set(
  'ver iss sub sub_iss sub_profile aud iat exp jti txn scope tctx act par_hash recovered'.split(' '),
)
const contextNames = new Set(['groups', 'auth_time', 'root_iat', 'ceil', 'self'])
const actorNames = new Set(['sub', 'iss', 'sub_profile', 'act'])

/** Parses the text of a chain token. The result is not verified yet. */
export function parseChainToken(
  text: string,
  limits: { readonly maxDepth: number; readonly maxLifetimeSeconds: number },
): { readonly jws: ParsedJws; readonly token: ChainToken } | Deny {
  const jws = parseCompactJws(text, { maxBytes: maxTokenBytes, typ: [chainType], reading: 'ours' })
  if (jws.kind === 'jws-fault') {
    return deny(jws.fault === 'too_large' ? 'chain_too_large' : 'chain_malformed', jws.reason)
  }
  const actors = readActors(jws.claims.get('act'), limits.maxDepth)
  if (isDeny(actors)) return actors
  const token = readClaims(jws.claims, actors)
  if (isDeny(token)) return token
  if (token.selfCalls > limits.maxDepth)
    return deny('chain_too_deep', `expected at most ${limits.maxDepth} calls of an agent to itself`)
  const problem = findTimeProblem(token, limits.maxLifetimeSeconds)
  return problem === undefined ? { jws, token } : malformed(problem)
}

/** Returns the claims of a token. `parseChainToken` reads them back. */
export function toChainClaims(token: ChainToken): Readonly<Record<string, unknown>> {
  return {
    ver: version,
    iss: token.issuer,
    sub: token.subject.id,
    sub_iss: token.subject.issuer,
    sub_profile: 'user',
    aud: token.holder.uri,
    iat: token.issuedAt,
    exp: token.expiresAt,
    jti: token.jti,
    txn: token.txn,
    scope: token.scopes.length > 0 ? token.scopes.join(' ') : undefined,
    tctx: {
      groups: token.subject.groups,
      auth_time: token.authTime,
      root_iat: token.rootIssuedAt,
      ceil: token.ceiling,
      // Written only if it happened, because an older replica refuses a claim that it does not know.
      self: token.selfCalls > 0 ? token.selfCalls : undefined,
    },
    act: toActClaim(token.actors),
    par_hash: token.parHash,
    recovered: token.isRecovered ? true : undefined,
  }
}

function toActClaim(actors: readonly SpiffeId[]): object | undefined {
  return actors.reduceRight<object | undefined>(
    (act, { uri, trustDomain }) => ({
      sub: uri,
      iss: `spiffe://${trustDomain}`,
      sub_profile: 'ai_agent',
      act,
    }),
    undefined,
  )
}

function readActors(outermost: JsonValue | undefined, maxDepth: number): readonly SpiffeId[] | Deny {
  const actors: SpiffeId[] = []
  let act = outermost
  while (act !== undefined) {
    if (actors.length === maxDepth) return deny('chain_too_deep', `expected at most ${maxDepth} actors`)
    if (!isJsonObject(act) || hasOthers(act, actorNames)) return malformed('expected `act` to be an actor')
    const actor = readSpiffeId(act.get('sub'))
    if (actor === undefined) return malformed('expected `act.sub` to be a SPIFFE ID')
    if (act.get('iss') !== `spiffe://${actor.trustDomain}`)
      return malformed('expected `act.iss` to own `act.sub`')
    if (act.get('sub_profile') !== 'ai_agent') return malformed('expected `act.sub_profile` to be `ai_agent`')
    actors.push(actor)
    act = act.get('act')
  }
  // A copy has the exact size; a list that grew reserves room for sixteen more.
  return [...actors]
}

function readClaims(claims: JsonObject, actors: readonly SpiffeId[]): ChainToken | Deny {
  // An unknown claim could be a restriction, so it must not be ignored.
  if (hasOthers(claims, claimNames)) return malformed('found a claim that version 1 does not have')
  if (claims.get('ver') !== version) return malformed(`expected \`ver\` to be ${version}`)
  if (claims.get('sub_profile') !== 'user') return malformed('expected `sub_profile` to be `user`')
  const issuer = readText(claims.get('iss'))
  const id = readText(claims.get('sub'))
  const subjectIssuer = readText(claims.get('sub_iss'))
  const holder = readSpiffeId(claims.get('aud'))
  const issuedAt = readTime(claims.get('iat'))
  const expiresAt = readTime(claims.get('exp'))
  const jti = readText(claims.get('jti'))
  const txn = readText(claims.get('txn'))
  const scopes = readScopes(claims.get('scope'))
  const parHash = claims.get('par_hash')
  const context = readContext(claims.get('tctx'))
  if (issuer === undefined || id === undefined || subjectIssuer === undefined) {
    return malformed('expected `iss`, `sub` and `sub_iss`')
  }
  if (holder === undefined) return malformed('expected `aud` to be one SPIFFE ID')
  if (issuedAt === undefined || expiresAt === undefined) return malformed('expected `iat` and `exp`')
  if (jti === undefined || txn === undefined) return malformed('expected `jti` and `txn`')
  if (scopes === undefined) return malformed('expected `scope` to be a list of scopes')
  if (context === undefined) return malformed('expected `tctx` with `groups`, `root_iat` and `ceil`')
  const { groups, authTime, rootIssuedAt, ceiling, selfCalls } = context
  if (selfCalls > 0 && actors.length === 0) return malformed('expected `tctx.self` only when there is `act`')
  if (parHash !== undefined && readText(parHash) === undefined)
    return malformed('expected `par_hash` to be text')
  // Either present or absent: `false` would be a second encoding of "absent".
  if (claims.has('recovered') && claims.get('recovered') !== true)
    return malformed('expected `recovered` to be true')
  // An actor acted with its own token, and that token is the parent.
  if (actors.length > 0 !== (parHash !== undefined))
    return malformed('expected `par_hash` just when there is `act`')
  return {
    issuer,
    subject: asOne({ issuer: subjectIssuer, id, groups }),
    holder,
    issuedAt,
    expiresAt,
    jti,
    txn,
    scopes,
    authTime,
    rootIssuedAt,
    ceiling,
    actors,
    selfCalls,
    parHash: readText(parHash),
    isRecovered: claims.has('recovered'),
  }
}

function readContext(context: JsonValue | undefined):
  | (Pick<ChainToken, 'authTime' | 'rootIssuedAt' | 'ceiling' | 'selfCalls'> & {
      readonly groups: readonly string[]
    })
  | undefined {
  if (!isJsonObject(context) || hasOthers(context, contextNames)) return undefined
  const groups = context.get('groups')
  const authTime = readTime(context.get('auth_time'))
  const rootIssuedAt = readTime(context.get('root_iat'))
  const ceiling = readTime(context.get('ceil'))
  if (!isStringArray(groups) || rootIssuedAt === undefined || ceiling === undefined) return undefined
  if (context.has('auth_time') && authTime === undefined) return undefined
  const selfCalls = context.has('self') ? readCount(context.get('self')) : 0
  return selfCalls === undefined ? undefined : { groups, authTime, rootIssuedAt, ceiling, selfCalls }
}

/**
 * Finds times that are wrong at any clock. The replica that began the chain may be ahead of the replica that extended it.
 */
function findTimeProblem(token: ChainToken, maxLifetimeSeconds: number): string | undefined {
  if (token.expiresAt <= token.issuedAt) return 'expected `exp` after `iat`'
  if (token.expiresAt > token.ceiling) return 'expected `exp` not to pass `tctx.ceil`'
  if (token.rootIssuedAt > token.issuedAt + skewSeconds) return 'expected `tctx.root_iat` not to pass `iat`'
  if (token.ceiling - token.issuedAt > maxLifetimeSeconds + skewSeconds) {
    return `expected the chain to end within ${maxLifetimeSeconds} s`
  }
  return undefined
}

function hasOthers(object: JsonObject, names: ReadonlySet<string>): boolean {
  return [...object.keys()].some((name) => !names.has(name))
}

function readText(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= maxTextLength ? value : undefined
}

function readTime(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' && value >= 0 ? value : undefined
}

/** A safe integer, like all numbers of strict JSON. Absent means zero: a written 0 would be a second encoding. */
function readCount(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' && value > 0 ? value : undefined
}

function readScopes(value: JsonValue | undefined): readonly string[] | undefined {
  if (value === undefined) return []
  const scopes = typeof value === 'string' ? parseScopes(value) : undefined
  return scopes === undefined || isInvalid(scopes) ? undefined : scopes
}

function readSpiffeId(value: JsonValue | undefined): SpiffeId | undefined {
  const id = typeof value === 'string' ? parseOnce(value) : undefined
  return id === undefined || isInvalid(id) ? undefined : id
}

/**
 * Thousands of cached chains name the same few users, so each user is one shared object. The cache is small, because
 * anybody can send an unverified token that names other users.
 */
const asOne = remember((subject: ChainToken['subject']) => subject, {
  maxEntries: 2000,
  room: {
    maxBytes: 1024 * 1024,
    bytesOf: ({ issuer, id, groups }) =>
      (issuer.length + id.length + groups.join('').length) * 2 + groups.length * groupBytes + fixedBytes,
  },
  keyOf: ({ issuer, id, groups }) => JSON.stringify([issuer, id, groups]),
  isWorth: () => true,
})

/** The approximate memory of a group, and of the whole entry, without their texts. */
const groupBytes = 32
const fixedBytes = 300

/** The same for the few agents. */
const parseOnce = remember(parseSpiffeId, {
  maxEntries: 2000,
  keyOf: (text) => text,
  isWorth: (id) => !isInvalid(id),
})

function malformed(reason: string): Deny {
  return deny('chain_malformed', reason)
}
