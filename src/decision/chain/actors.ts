import type { Caller } from '../../base/model/caller.ts'
import type { Chain, DelegatedChain } from '../../base/model/chain.ts'
import type { SpiffeId } from '../../base/model/spiffe-id.ts'
import type { Service } from '../../base/model/target.ts'

/**
 * Returns the actors once the caller acts, the caller first. A caller that is already the latest actor (it called itself)
 * is not recorded twice. An ingress peer is never an actor, because it only passes on the user's request.
 */
export function actorsWith(chain: Chain, caller: Caller): readonly SpiffeId[] {
  if (caller.isIngress) return []
  if (chain.kind !== 'delegated') return [caller.id]
  return isLatest(chain, caller) ? chain.actors : [caller.id, ...chain.actors]
}

/**
 * Counts agents' calls to themselves that added no actor, this call included. INVARIANT: each hop adds an actor, is such
 * a call, or is followed by a hop that adds an actor. So the two bounds together limit the length of a chain.
 */
export function selfCallsWith(chain: Chain, caller: Caller, callee: Pick<Service, 'spiffeId'>): number {
  if (chain.kind !== 'delegated') return 0
  const isSelfCall = callee.spiffeId.uri === caller.id.uri && isLatest(chain, caller)
  return isSelfCall ? chain.selfCalls + 1 : chain.selfCalls
}

function isLatest({ actors }: DelegatedChain, caller: Caller): boolean {
  return actors[0]?.uri === caller.id.uri
}
