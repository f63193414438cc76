import type { Caller } from '../../base/model/caller.ts'
import type { Chain, FirstHop } from '../../base/model/chain.ts'
import { type CheckInput, isConnection } from '../../base/model/check-input.ts'
import { type Deny, deny, isDeny } from '../../base/model/decision.ts'
import { isNeed, type Need } from '../../base/model/need.ts'
import type { SpiffeId } from '../../base/model/spiffe-id.ts'
import { checkRevoked } from '../chain/revocations.ts'
import { presentedChain } from '../chain/verify.ts'
import { namesInTokens } from '../identity/token-claims.ts'
import { verifyUserToken } from '../identity/user-token.ts'
import type { Facts } from './facts.ts'
import { verifyChain } from './remembered.ts'

/**
 * Finds the chain of a request: a user whom an ingress peer brings, a presented chain, or a recovered chain. No chain is
 * a kind of its own, which `judge` admits only where the catalog allows it. A connection without HTTP cannot carry a
 * chain, so only its caller is judged.
 */
export function provenChain(
  input: CheckInput,
  caller: Caller,
  callee: SpiffeId,
  facts: Facts,
): Chain | Deny | Need {
  const { settings, revocations, recovery, nowMs } = facts
  if (isConnection(input)) return checkRevoked(none, caller, revocations, nowMs) ?? none
  const presented = presentedChain(input.headers, settings.chainHeader)
  if (presented !== undefined && isDeny(presented)) return presented
  if (caller.isIngress) {
    return presented === undefined
      ? verifyUser(input, caller, callee, facts)
      : deny('chain_not_yours', 'a chain through ingress is never trusted')
  }
  if (settings.carriesUserToken(input)) {
    return deny('token_from_agent', 'a user token for ingress, presented by another workload')
  }
  if (presented !== undefined) return verifyChain(presented.value, caller, facts)
  const recovered = recovery?.find(input.headers, caller.id, nowMs)
  if (isDeny(recovered)) return recovered
  if (recovered !== undefined) {
    const chain = verifyChain(recovered, caller, facts)
    return isDeny(chain) ? chain : { ...chain, isRecovered: true }
  }
  return checkRevoked(none, caller, revocations, nowMs) ?? none
}

const none = { kind: 'none' } as const

/**
 * Verifies a user's own token, from a provider whose users this ingress peer may bring. Only the form and the proof of its
 * signature are cached.
 */
function verifyUser(
  input: CheckInput,
  caller: Caller,
  callee: SpiffeId,
  facts: Facts,
): FirstHop | Deny | Need {
  const { settings, issuers, revocations, nowMs, memories, proofs, stopwatch } = facts
  const names = settings.ingress.get(caller.id.uri)
  const stop = stopwatch?.step('verify user token')
  const firstHop = verifyUserToken(
    input.headers,
    issuers.filter(({ name }) => names?.has(name) === true),
    { nowMs, callees: namesInTokens(callee, settings.trustDomainAliases) },
    {
      recall: memories.tokens.get,
      isProven: (key) => proofs.has(key),
      remember: memories.tokens.set,
    },
  )
  stop?.()
  if (isDeny(firstHop) || isNeed(firstHop)) return firstHop
  return checkRevoked(firstHop, caller, revocations, nowMs) ?? firstHop
}
