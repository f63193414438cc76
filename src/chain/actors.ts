import type { Caller } from '../model/caller.ts'
import type { Chain } from '../model/chain.ts'
import type { SpiffeId } from '../model/spiffe-id.ts'

/**
 * Everyone who acts once the caller does, the caller first. A caller that is the latest actor already (a retry, a
 * call to itself) is not recorded twice; an ingress peer only passes the user's request on and never acts.
 */
export function actorsWith(chain: Chain, caller: Caller): readonly SpiffeId[] {
  if (caller.isIngress) return []
  if (chain.kind !== 'delegated') return [caller.id]
  const isLatest = chain.actors[0]?.uri === caller.id.uri
  return isLatest ? chain.actors : [caller.id, ...chain.actors]
}
