import type { Caller } from '../../base/model/caller.ts'
import type { DelegatedChain } from '../../base/model/chain.ts'
import { type Headers, singleHeader } from '../../base/model/check-input.ts'
import { type Deny, deny, isDeny } from '../../base/model/decision.ts'
import { formatTime } from '../../base/text/quote.ts'
import type { KeySet } from '../jws/key-set.ts'
import { verifySignature } from '../jws/signature.ts'
import { actorsWith } from './actors.ts'
import { checkRevoked, type Revocations } from './revocations.ts'
import { type ChainToken, parseChainToken, skewSeconds } from './token.ts'

/** The trusted issuer and keys, and the limits of a chain. */
export type ChainTrust = {
  readonly issuer: string
  readonly keys: KeySet
  /** The configured names of the identity providers, by issuer URL. */
  readonly userIssuers: ReadonlyMap<string, string>
  /** The maximum number of actors, the caller included. */
  readonly maxDepth: number
  readonly maxLifetimeSeconds: number
}

/** A chain token that a trusted key signed. `admitChain` then checks who may present it, and when. */
export type ProvenChain = { readonly kind: 'proven'; readonly token: ChainToken; readonly digest: string }

/**
 * Returns the chain of a request; `undefined` if there is none. An empty or repeated header is a broken chain, never a
 * missing one.
 */
export function presentedChain(
  headers: Headers,
  name: string,
): { readonly value: string } | Deny | undefined {
  const header = singleHeader(headers, name)
  return header === 'repeated' ? deny('chain_malformed', 'expected one header value, found several') : header
}

/** Verifies that a trusted key signed this text. Only this part may be cached. */
export function verifySignedChain(text: string, trust: ChainTrust): ProvenChain | Deny {
  const parsed = parseChainToken(text, trust)
  if (isDeny(parsed)) return parsed
  const { jws, token } = parsed
  const verified = verifySignature(jws, trust.keys)
  if (verified === 'key_unknown') return deny('chain_key_unknown', `no key \`${jws.protectedHeader.kid}\``)
  if (verified === 'signature') return deny('chain_signature', 'the signature does not verify')
  return { kind: 'proven', token, digest: jws.digest }
}

/** Checks that this caller may present a proven chain now. No result of this function may be cached. */
export function admitChain(
  proven: ProvenChain,
  caller: Caller,
  trust: Omit<ChainTrust, 'keys'>,
  nowMs: number,
  revocations: Revocations,
): DelegatedChain | Deny {
  const { token } = proven
  const issuerName = trust.userIssuers.get(token.subject.issuer)
  if (token.issuer !== trust.issuer) return deny('chain_issuer_unknown', `\`iss\` is \`${token.issuer}\``)
  if (issuerName === undefined)
    return deny('chain_issuer_unknown', `\`sub_iss\` is \`${token.subject.issuer}\``)
  const refusal = checkHolder(token, caller) ?? checkTimes(token, Math.floor(nowMs / 1000))
  if (refusal !== undefined) return refusal
  const chain = toDelegatedChain(proven, issuerName)
  const depth = actorsWith(chain, caller).length
  if (depth > trust.maxDepth)
    return deny('chain_too_deep', `expected at most ${trust.maxDepth} actors, found ${depth}`)
  return checkRevoked(chain, caller, revocations, nowMs) ?? chain
}

/** Checks the holder. This one comparison stops replay by a sibling, splicing and laundering. */
function checkHolder(token: ChainToken, caller: Caller): Deny | undefined {
  if (caller.isIngress) return deny('chain_not_yours', 'an ingress peer holds no chain')
  return token.holder.uri === caller.id.uri
    ? undefined
    : deny('chain_not_yours', `held by \`${token.holder.uri}\`, presented by \`${caller.id.uri}\``)
}

function checkTimes(token: ChainToken, now: number): Deny | undefined {
  if (token.issuedAt > now + skewSeconds)
    return deny('chain_not_yet_valid', `\`iat\` ${formatTime(token.issuedAt)}, now ${formatTime(now)}`)
  // The ceiling limits the whole chain, so no clock tolerance applies to it.
  const isExpired = now >= token.expiresAt + skewSeconds || now >= token.ceiling
  return isExpired
    ? deny('chain_expired', `\`exp\` ${formatTime(token.expiresAt)}, now ${formatTime(now)}`)
    : undefined
}

function toDelegatedChain({ token, digest }: ProvenChain, issuerName: string): DelegatedChain {
  const {
    subject,
    actors,
    selfCalls,
    txn,
    jti,
    scopes,
    expiresAt,
    rootIssuedAt,
    ceiling,
    authTime,
    isRecovered,
  } = token
  return {
    kind: 'delegated',
    subject: { issuerName, issuer: subject.issuer, id: subject.id, groups: subject.groups },
    actors,
    selfCalls,
    txn,
    jti,
    scopes,
    expiresAt,
    rootIssuedAt,
    ceiling,
    authTime,
    isRecovered,
    digest,
  }
}
