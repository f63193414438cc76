import type { ShadowDifference } from '../audit/format/shadow-line.ts'
import { isSameOutcome, toOutcome } from '../authoring/outcome.ts'
import type { Caller, PeerSource } from '../base/model/caller.ts'
import type { Chain } from '../base/model/chain.ts'
import type { CheckInput } from '../base/model/check-input.ts'
import { type Deny, type DenyCode, isDeny } from '../base/model/decision.ts'
import type { Service } from '../base/model/target.ts'
import { judge, type Permission } from '../decision/check/judge.ts'
import type { Verdict } from '../decision/check/verdict.ts'
import { checkWaypoint, findService, type Request, targetOf, toRequest } from '../policy/catalog/target.ts'
import type { Revision } from '../policy/revision/revision.ts'

/** An answered check that can be judged again: its caller and its chain are proven. */
export type Judgeable = {
  /** Not the whole request, so that queued checks hold no headers. */
  readonly asked: Pick<CheckInput, 'destinationAddress' | 'metadata'>
  readonly request: Request
  readonly peer: PeerSource
  readonly found: Pick<Verdict, 'decision'> & Proven & { readonly action: string | undefined }
}

/** The proven parts of a check that can be judged again. */
type Proven = { readonly caller: Caller; readonly chain: Chain; readonly service: Service }

/** The decisions of two revisions about one check. */
export type Comparison = Omit<ShadowDifference, 'count' | 'examples'> & { readonly isSame: boolean }

/** The codes that policies can cause. Other refusals (full disk, late answer, overlong chain) do not depend on them. */
const codesOfPolicy: ReadonlySet<DenyCode> = new Set([
  'request_malformed',
  'path_ambiguous',
  'route_unknown',
  'chain_missing',
  'scope_missing',
  'policy_denied',
  'policy_error',
])

/**
 * Returns the check if it can be judged again. `undefined` if it was refused before the chain was verified, or for a
 * reason that policies do not control (overload, deadline, audit).
 */
export function toJudgeable(
  input: CheckInput | Deny,
  peer: PeerSource,
  { caller, chain, service, target, decision }: Verdict,
): Judgeable | undefined {
  if (isDeny(input) || caller === undefined || chain === undefined || service === undefined) return undefined
  if (isDeny(decision) && !codesOfPolicy.has(decision.code)) return undefined
  const { destinationAddress, metadata } = input
  const asked = { destinationAddress, metadata }
  return {
    asked,
    request: toRequest(input),
    peer,
    found: { decision, caller, chain, service, action: target?.action.id },
  }
}

/**
 * Judges a check again by another revision. The proven caller and chain are kept. Service and target are found again,
 * because the catalog may differ too. `undefined` if the engine failed.
 */
export function compareWith(shadow: Revision, judgeable: Judgeable): Comparison | undefined {
  const { found } = judgeable
  const { decision, action } = judgeAgain(shadow, judgeable)
  if (isDeny(decision) && decision.code === 'policy_unavailable') return undefined
  const [before, after] = [toOutcome(found.decision), toOutcome(decision)]
  return {
    service: found.service.name,
    action: found.action ?? action,
    caller: found.caller.isIngress ? 'ingress' : found.caller.id.uri,
    before,
    after,
    isSame: isSameOutcome(before, after),
  }
}

function judgeAgain(
  shadow: Revision,
  { asked, request, peer, found: { caller, chain } }: Judgeable,
): { readonly decision: Permission | Deny; readonly action: string } {
  const service = findService(asked, peer, shadow.catalog)
  if (isDeny(service)) return { decision: service, action: '' }
  const stranger = checkWaypoint(caller, service)
  if (stranger !== undefined) return { decision: stranger, action: '' }
  const target = targetOf(service, request)
  if (isDeny(target)) return { decision: target, action: '' }
  return { decision: judge(caller, chain, target, shadow), action: target.action.id }
}
