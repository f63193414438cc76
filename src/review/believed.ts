import { parseChainToken } from '../chain/token.ts'
import { judge } from '../check/judge.ts'
import { followLine, type LineDeps } from '../check/line.ts'
import { identifyCaller } from '../identity/peer.ts'
import { accessTokenTypes } from '../identity/token-kind.ts'
import { parseCompactJws } from '../jws/compact.ts'
import { isStringArray, type JsonObject } from '../jws/json.ts'
import type { Caller, PeerSource } from '../model/caller.ts'
import type { DelegatedChain, FirstHop } from '../model/chain.ts'
import { type CheckInput, type Headers, singleHeader } from '../model/check-input.ts'
import { type Deny, deny, isDeny } from '../model/decision.ts'
import { type Invalid, invalid } from '../model/invalid.ts'
import { parseScopes } from '../model/scope.ts'
import type { TrustDomain } from '../model/spiffe-id.ts'
import type { Revision } from '../revision/revision.ts'
import { targetOf } from '../revision/target.ts'
import type { Verdict } from './situation.ts'

/** How to read a captured request. */
export type BeliefOptions = {
  readonly peer: PeerSource | undefined
  /** The header in which chains travel. */
  readonly header: string
  /** Our name for the identity provider; `undefined` takes the one that the policies name. */
  readonly issuerName: string | undefined
}

// What any Waywarden may be configured with; a capture may be from any of them.
const limits = { maxDepth: 8, maxLifetimeSeconds: 86_400 }

/**
 * Sends a captured request down the line again and believes what it says: neither signatures nor times nor revocations are
 * checked, for a capture is old and its keys are elsewhere.
 */
export async function believeRequest(
  input: CheckInput,
  revision: Revision,
  options: BeliefOptions,
): Promise<Verdict | Invalid> {
  const issuerName = options.issuerName ?? onlyIssuer(revision)
  if (issuerName === undefined) {
    return invalid('the policies name users of several identity providers, or of none; say which: `--issuer`')
  }
  const [first] = revision.catalog.services
  if (first === undefined) return invalid('the catalog has no service')
  // In `principal` mode the waypoint proves itself by TLS, of which a capture says nothing.
  const asked = { ...input, tlsPeerUris: [first.waypoint.uri] }
  const deps = believe(asked, first.waypoint.trustDomain, issuerName, options)
  const { decision, caller, chain, target } = await followLine(asked, 0, revision, deps)
  const isKnown = caller !== undefined && chain !== undefined && target !== undefined
  return { decision, matter: isKnown ? { caller, chain, target } : undefined }
}

/** Every proof of the line, believed. */
function believe(
  input: CheckInput,
  trustDomain: TrustDomain,
  issuerName: string,
  options: BeliefOptions,
): LineDeps {
  const { header } = options
  const isFirstHop = !input.headers.has(header) && readBearer(input.headers) !== undefined
  const peer = options.peer ?? guessPeer(input)
  return {
    header,
    peer,
    identifyCaller(asked, waypoints) {
      const caller = identifyCaller(asked, {
        peer,
        trustDomain,
        ingressPeers: new Set(),
        waypoints,
        isMutualTls: false,
      })
      // Only an ingress peer may present a user's token, so whoever did is taken for one.
      return isDeny(caller) ? caller : { ...caller, isIngress: isFirstHop }
    },
    targetOf,
    judge,
    verifyChain: async (text, caller) => toChain(text, caller, issuerName),
    verifyUserToken: async (headers) => toFirstHop(headers, issuerName),
    carriesUserToken: () => false,
    recoverChain: () => undefined,
    checkRevoked: () => undefined,
    extendChain: async () => ({
      token: '',
      jti: '',
      txn: '',
      kid: '',
      parHash: undefined,
      issuedAt: 0,
      expiresAt: 0,
    }),
    isObserving: () => false,
  }
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
  if (typeof id !== 'string' || !isStringArray(groups) || !Array.isArray(scopes)) {
    return deny('token_invalid', 'expected `sub`, `groups` as a list, and `scope` as text')
  }
  const subject = { issuerName, issuer: '', id, groups }
  return { kind: 'first-hop', subject, scopes, issuedAt: 0, expiresAt: 0, authTime: undefined }
}

function readBearer(headers: Headers): JsonObject | undefined {
  const header = singleHeader(headers, 'authorization')
  const text = typeof header === 'object' ? /^Bearer +(\S+)$/i.exec(header.value)?.[1] : undefined
  if (text === undefined) return undefined
  const jws = parseCompactJws(text, { maxBytes: 16_384, typ: accessTokenTypes, reading: 'provider' })
  return jws.kind === 'jws' ? jws.claims : undefined
}

/** The identity provider whose users and groups the policies name, when there is but one. */
function onlyIssuer({ policies }: Revision): string | undefined {
  const names = new Set<string>()
  for (const { json } of policies) {
    for (const [, name = ''] of JSON.stringify(json).matchAll(/"type":"(?:Group|User)","id":"([^"/]+)\//g)) {
      names.add(name)
    }
  }
  const [only, ...others] = names
  return others.length === 0 ? only : undefined
}
