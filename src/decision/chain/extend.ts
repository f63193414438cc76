import type { Caller } from '../../base/model/caller.ts'
import type { DelegatedChain, FirstHop } from '../../base/model/chain.ts'
import { type Deny, deny } from '../../base/model/decision.ts'
import type { Service } from '../../base/model/target.ts'
import { signCompactJws } from '../jws/signature.ts'
import type { SigningKey } from '../jws/signing-key.ts'
import { actorsWith, selfCallsWith } from './actors.ts'
import { type ChainToken, chainType, maxTokenBytes, toChainClaims } from './token.ts'

/** A signed chain for the next holder, ready to send. */
export type SignedChain = {
  readonly token: string
  readonly jti: string
  readonly txn: string
  readonly kid: string
  /** The digest of the parent token; `undefined` for the first token of a chain. */
  readonly parHash: string | undefined
  /** Seconds since the epoch. */
  readonly expiresAt: number
}

export type MintOptions = {
  readonly key: SigningKey
  readonly issuer: string
  readonly maxLifetimeSeconds: number
  /** `token`: the chain ends with the user's token if that is sooner than `maxLifetimeSeconds`. */
  readonly ceiling: 'fixed' | 'token'
  readonly maxDepth: number
}

/**
 * Extends a chain by its caller and signs it for the called service. The caller becomes the latest actor. The service has
 * not acted yet, so it is named as holder only. `ids.txn` names a chain that begins here.
 */
export function mintChild(
  chain: DelegatedChain | FirstHop,
  caller: Caller,
  service: Service,
  options: MintOptions,
  nowMs: number,
  ids: { readonly jti: string; readonly txn: string },
): SignedChain | Deny {
  const now = Math.floor(nowMs / 1000)
  const actors = actorsWith(chain, caller)
  if (actors.length > options.maxDepth)
    return deny('chain_too_deep', `expected at most ${options.maxDepth} actors`)
  const selfCalls = selfCallsWith(chain, caller, service)
  if (selfCalls > options.maxDepth)
    return deny('chain_too_deep', `expected at most ${options.maxDepth} calls of an agent to itself`)
  const root = chain.kind === 'delegated' ? chain : beginChain(chain, options, now, ids.txn)
  if (root.ceiling <= now) return deny('chain_expired', `nothing is left before the ceiling ${root.ceiling}`)
  const { issuer, id, groups } = chain.subject
  const token: ChainToken = {
    issuer: options.issuer,
    subject: { issuer, id, groups },
    holder: service.spiffeId,
    issuedAt: now,
    expiresAt: Math.min(now + service.hopLifetimeSeconds, root.ceiling),
    jti: ids.jti,
    txn: root.txn,
    scopes: narrowScopes(chain.scopes, service.scopes),
    authTime: chain.authTime,
    rootIssuedAt: root.rootIssuedAt,
    ceiling: root.ceiling,
    actors,
    selfCalls,
    parHash: chain.kind === 'delegated' ? chain.digest : undefined,
    // Never cleared: a recovered chain stays recovered in every later hop.
    isRecovered: chain.kind === 'delegated' && chain.isRecovered,
  }
  const text = signCompactJws(chainType, toChainClaims(token), options.key)
  if (text.length > maxTokenBytes)
    return deny('chain_too_large', `expected at most ${maxTokenBytes} bytes, found ${text.length}`)
  const { jti, txn, parHash, expiresAt } = token
  return { token: text, jti, txn, kid: options.key.public.kid, parHash, expiresAt }
}

type Root = Pick<DelegatedChain, 'txn' | 'rootIssuedAt' | 'ceiling'>

function beginChain(firstHop: FirstHop, options: MintOptions, now: number, txn: string): Root {
  const latest = now + options.maxLifetimeSeconds
  return {
    txn,
    // The time of the user's token, not the current time. Otherwise a token issued before a revocation could begin a
    // chain after it.
    rootIssuedAt: Math.min(now, firstHop.issuedAt),
    ceiling: options.ceiling === 'token' ? Math.min(latest, firstHop.expiresAt) : latest,
  }
}

function narrowScopes(scopes: readonly string[], kept: readonly string[] | undefined): readonly string[] {
  return kept === undefined ? scopes : scopes.filter((scope) => kept.includes(scope))
}
