import type { Caller } from '../../base/model/caller.ts'
import type { Chain, DelegatedChain } from '../../base/model/chain.ts'
import type { SpiffeId } from '../../base/model/spiffe-id.ts'
import type { Service } from '../../base/model/target.ts'

/**
 * Everyone who acts once the caller does, the caller first. A caller that is the latest actor already, because it called
 * itself, is not recorded twice; an ingress peer only passes the user's request on and never acts.
 */
export function actorsWith(chain: Chain, caller: Caller): readonly SpiffeId[] {
  if (caller.isIngress) return []
  if (chain.kind !== 'delegated') return [caller.id]
  return isLatest(chain, caller) ? chain.actors : [caller.id, ...chain.actors]
}

/**
 * How many calls of agents to themselves added no actor, once the caller calls this service. INVARIANT: each hop adds an
 * actor, or is such a call, or is followed by one that adds an actor; so the bounds of both bound the length of a chain.
 */
export function selfCallsWith(chain: Chain, caller: Caller, callee: Pick<Service, 'spiffeId'>): number {
  if (chain.kind !== 'delegated') return 0
  const isSelfCall = callee.spiffeId.uri === caller.id.uri && isLatest(chain, caller)
  return isSelfCall ? chain.selfCalls + 1 : chain.selfCalls
}

function isLatest({ actors }: DelegatedChain, caller: Caller): boolean {
  return actors[0]?.uri === caller.id.uri
}
