import type { Verdict } from '../authoring/situation.ts'
import type { Caller, PeerSource } from '../base/model/caller.ts'
import type { Chain, DelegatedChain, FirstHop } from '../base/model/chain.ts'
import { type CheckInput, type Headers, singleHeader } from '../base/model/check-input.ts'
import { type Deny, deny, isDeny } from '../base/model/decision.ts'
import { entityUidsIn } from '../base/model/entity-uid.ts'
import { type Invalid, invalid, isInvalid } from '../base/model/invalid.ts'
import { parseScopes } from '../base/model/scope.ts'
import { parseChainToken } from '../decision/chain/token.ts'
import { presentedChain } from '../decision/chain/verify.ts'
import { identify } from '../decision/check/decide.ts'
import { judge } from '../decision/check/judge.ts'
import { accessTokenTypes } from '../decision/identity/token-kind.ts'
import { parseCompactJws } from '../decision/jws/compact.ts'
import { isStringArray, type JsonObject } from '../decision/jws/json.ts'
import { targetOf, toRequest } from '../policy/catalog/target.ts'
import type { Revision } from '../policy/revision/revision.ts'

/** How to read a captured request. */
export type ReplayOptions = {
  readonly peer: PeerSource | undefined
  /** The header that carries chains. */
  readonly header: string
  /** The configured name of the identity provider; `undefined` uses the one in the policies. */
  readonly issuerName: string | undefined
}

// The widest limits of any configuration, because a capture may come from any Waywarden.
const limits = { maxDepth: 8, maxLifetimeSeconds: 86_400 }

/**
 * Judges a captured request again without verifying it. Signatures, times and revocations are not checked, because a
 * capture is old and its keys are elsewhere.
 */
export function replayUnverified(
  input: CheckInput,
  revision: Revision,
  options: ReplayOptions,
): Verdict | Invalid {
  const issuerName = options.issuerName ?? onlyIssuer(revision)
  if (issuerName === undefined) {
    return invalid('the policies name users of several identity providers, or of none; say which: `--issuer`')
  }
  const [first] = revision.catalog.services
  if (first === undefined) return invalid('the catalog has no service')
  // In `principal` mode the waypoint proves itself by TLS, which a capture does not contain.
  const asked = { ...input, tlsPeerUris: [first.waypoint.uri] }
  const peer = options.peer ?? guessPeer(input)
  const { trustDomain } = first.waypoint
  const settings = { peer, trustDomain, isMutualTls: false, ingress: new Map<string, ReadonlySet<string>>() }
  const call = identify(asked, { settings, revision, stopwatch: undefined })
  if (call.kind === 'verdict') return { decision: call.decision, matter: undefined }
  const presented = presentedChain(input.headers, options.header)
  // Only an ingress peer may present a user's token, so a caller that did counts as one.
  const isIngress = presented === undefined && readBearer(input.headers) !== undefined
  const caller = { ...call.caller, isIngress }
  const chain = believeChain(presented, caller, input.headers, issuerName)
  if (isDeny(chain)) return { decision: chain, matter: undefined }
  const target = targetOf(call.service, toRequest(asked))
  if (isDeny(target)) return { decision: target, matter: undefined }
  return { decision: judge(caller, chain, target, revision), matter: { caller, chain, target } }
}

function believeChain(
  presented: ReturnType<typeof presentedChain>,
  caller: Caller,
  headers: Headers,
  issuerName: string,
): Chain | Deny {
  if (caller.isIngress) return toFirstHop(headers, issuerName)
  if (presented === undefined) return { kind: 'none' }
  return isDeny(presented) ? presented : toChain(presented.value, caller, issuerName)
}

function guessPeer({ headers, metadata, sourcePrincipal }: CheckInput): PeerSource {
  if (metadata.has('x-waypoint-peer-principal')) return 'metadata'
  return sourcePrincipal !== '' && !headers.has('x-forwarded-client-cert') ? 'principal' : 'xfcc'
}

function toChain(text: string, caller: Caller, issuerName: string): DelegatedChain | Deny {
  const parsed = parseChainToken(text, limits)
  if (isDeny(parsed)) return parsed
  const { token, jws } = parsed
  if (token.holder.uri !== caller.id.uri) {
    return deny('chain_not_yours', `held by \`${token.holder.uri}\`, presented by \`${caller.id.uri}\``)
  }
  return {
    kind: 'delegated',
    ...token,
    subject: { ...token.subject, issuerName },
    digest: jws.digest,
  }
}

function toFirstHop(headers: Headers, issuerName: string): FirstHop | Deny {
  const claims = readBearer(headers)
  const id = claims?.get('sub')
  const groups = claims?.get('groups') ?? []
  const scope = claims?.get('scope') ?? ''
  const scopes = typeof scope === 'string' ? parseScopes(scope) : undefined
  if (typeof id !== 'string' || !isStringArray(groups) || scopes === undefined || isInvalid(scopes)) {
    return deny('token_invalid', 'expected `sub`, `groups` as a list, and `scope` as text')
  }
  const subject = { issuerName, issuer: '', id, groups }
  return { kind: 'first-hop', subject, scopes, issuedAt: 0, expiresAt: 0, authTime: undefined }
}

function readBearer(headers: Headers): JsonObject | undefined {
  const header = singleHeader(headers, 'authorization')
  const text =
    header === undefined || header === 'repeated' ? undefined : /^Bearer +(\S+)$/i.exec(header.value)?.[1]
  if (text === undefined) return undefined
  const jws = parseCompactJws(text, { maxBytes: 16_384, typ: accessTokenTypes, reading: 'provider' })
  return jws.kind === 'jws' ? jws.claims : undefined
}

/** Returns the identity provider of the users and groups in the policies, if there is only one. */
function onlyIssuer({ policies }: Revision): string | undefined {
  const names = new Set<string>()
  for (const { json } of policies) {
    for (const { type, id } of entityUidsIn(json)) {
      const [name, ...rest] = id.split('/')
      if ((type === 'Group' || type === 'User') && name !== undefined && rest.length > 0) names.add(name)
    }
  }
  const [only, ...others] = names
  return others.length === 0 ? only : undefined
}
