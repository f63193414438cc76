import type { CheckInput } from '../../base/model/check-input.ts'
import { isDeny } from '../../base/model/decision.ts'
import { isNeed, type Need } from '../../base/model/need.ts'
import { checkWaypoint, findService, toRequest } from '../../policy/catalog/target.ts'
import { identifyCaller } from '../identity/peer.ts'
import type { CheckSettings, Facts } from './facts.ts'
import { isObserved } from './observing.ts'
import { provenChain } from './proven-chain.ts'
import { extendChain, findTarget, judgeRemembered } from './remembered.ts'
import { type Asked, type Call, refusal, type Verdict } from './verdict.ts'

// The pure steps of a check, in order: identify, ask, judge, extend. Each step takes the results of the previous step,
// reads only its arguments, and never waits.

/** The facts that identify a caller, besides the request. */
export type CallFacts = Pick<Facts, 'revision' | 'stopwatch'> & {
  readonly settings: Pick<CheckSettings, 'peer' | 'trustDomain' | 'isMutualTls' | 'ingress'>
}

/**
 * Finds the called service, then the caller. The service comes first because the mesh names it, not the caller. So every
 * later refusal can name the service.
 */
export function identify(input: CheckInput, { settings, revision, stopwatch }: CallFacts): Call | Verdict {
  const { catalog } = revision
  const service = findService(input, settings.peer, catalog)
  const stop = stopwatch?.step('identify')
  const caller = identifyCaller(input, {
    peer: settings.peer,
    trustDomain: settings.trustDomain,
    ingressPeers: settings.ingress,
    waypoints: catalog.waypoints,
    isMutualTls: settings.isMutualTls,
  })
  stop?.()
  // The record of a destination that nobody knows names its caller, if that one is proven.
  if (isDeny(service)) return refusal(service, isDeny(caller) ? {} : { caller })
  if (isDeny(caller)) return refusal(caller, { service })
  const stranger = checkWaypoint(caller, service)
  return stranger === undefined ? { kind: 'call', service, caller } : refusal(stranger, { caller, service })
}

/** Finds the chain and the target of a request, or the fact that is missing to find them. */
export function ask(input: CheckInput, { service, caller }: Call, facts: Facts): Asked | Verdict | Need {
  const chain = provenChain(input, caller, service.spiffeId, facts)
  if (isNeed(chain)) return chain
  if (isDeny(chain)) return refusal(chain, { caller, service })
  const { target, ...keys } = findTarget(service, caller, chain, toRequest(input), facts)
  if (isDeny(target)) return refusal(target, { caller, chain, service })
  return { kind: 'asked', service, caller, chain, target, ...keys }
}

/**
 * Judges every principal of the chain. If all are permitted, or the refusal is only observed, it mints a chain for the
 * callee.
 */
export function judgeAsked(asked: Asked, facts: Facts): Verdict {
  const { caller, chain, service, target, questionKey } = asked
  const decision = judgeRemembered(asked, facts)
  const verdict: Verdict = {
    kind: 'verdict',
    decision,
    caller,
    chain,
    service,
    target,
    onward: undefined,
    questionKey,
  }
  // While a policy refusal is only observed, a proven chain is extended, so that the callee's own calls can be observed.
  const goesOn =
    !isDeny(decision) ||
    (decision.code === 'policy_denied' && isObserved(facts.settings.observing, service.name, facts.nowMs))
  if (!goesOn || chain.kind === 'none' || !service.forwards) return verdict
  const onward = extendChain(chain, caller, service, facts)
  if (!isDeny(onward))
    return { kind: 'verdict', decision, caller, chain, service, target, onward, questionKey }
  return isDeny(decision) ? verdict : { ...verdict, decision: onward }
}
