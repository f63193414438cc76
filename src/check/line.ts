import type { SignedChain } from '../chain/extend.ts'
import type { Caller, PeerSource } from '../model/caller.ts'
import type { Chain } from '../model/chain.ts'
import type { CheckInput } from '../model/check-input.ts'
import { type Deny, isDeny } from '../model/decision.ts'
import { andThen, type Eventual } from '../model/eventual.ts'
import type { Service, Target } from '../model/target.ts'
import type { CatalogService } from '../revision/catalog.ts'
import type { Revision } from '../revision/revision.ts'
import { checkWaypoint, findService, type Request, toRequest } from '../revision/target.ts'
import type { Admission } from './admission.ts'
import type { Permission } from './judge.ts'
import { type ChainProofs, provenChain } from './proven-chain.ts'

/** What a check found out, as far as the line came. `onward` is the chain that the callee may present in its turn. */
export type Findings = {
  readonly decision: Permission | Deny
  readonly caller?: Caller
  readonly chain?: Chain
  readonly service?: Service
  readonly target?: Target
  readonly onward?: SignedChain
}

/** What the line needs from outside: proofs about the caller, about the chain, and a signature for the next hop. */
export type LineDeps = ChainProofs & {
  /** How this listener learns who calls, and so where to. */
  readonly peer: PeerSource
  /** Shared by all listeners; none where nobody waits for the answer. */
  readonly admission?: Pick<Admission, 'admit'>
  readonly identifyCaller: (input: CheckInput, waypoints: ReadonlySet<string>) => Caller | Deny
  /** `targetOf`, or a function that gives its answers. */
  readonly targetOf: (service: CatalogService, request: Request, revision: Revision) => Target | Deny
  /** `judge`, or a function that gives its answers. */
  readonly judge: (caller: Caller, chain: Chain, target: Target, revision: Revision) => Permission | Deny
  readonly extendChain: (
    chain: Exclude<Chain, { readonly kind: 'none' }>,
    caller: Caller,
    callee: Service,
    nowMs: number,
  ) => Eventual<SignedChain | Deny>
  /** Whether a refusal is recorded but not carried out: for one service, or `undefined` when it is not known. */
  readonly isObserving: (service: string | undefined, nowMs: number) => boolean
}

/**
 * Where to? Who calls? Whose chain? What do they want? May each of them? Each step takes what the one before has proven.
 * Where to comes first: it is the mesh's word, not the caller's, and every refusal after it names the service. Whoever
 * has asked too much is refused as soon as it is certain who that is, before anything costs us more.
 */
export function followLine(
  input: CheckInput,
  nowMs: number,
  revision: Revision,
  deps: LineDeps,
): Eventual<Findings> {
  const service = findService(input, deps.peer, revision.catalog)
  if (isDeny(service)) return { decision: service }
  const caller = deps.identifyCaller(input, revision.catalog.waypoints)
  if (isDeny(caller)) return { decision: caller, service }
  const stranger = checkWaypoint(caller, service)
  if (stranger !== undefined) return { decision: stranger, caller, service }
  const goOn = () => followChain(input, nowMs, revision, { caller, service }, deps)
  if (deps.admission === undefined) return goOn()
  return andThen(deps.admission.admit(caller.id, goOn), (found) =>
    isDeny(found) ? { decision: found, caller, service } : found,
  )
}

/** From whose chain on, for a caller and a service that are certain. */
function followChain(
  input: CheckInput,
  nowMs: number,
  revision: Revision,
  { caller, service }: { readonly caller: Caller; readonly service: CatalogService },
  deps: LineDeps,
): Eventual<Findings> {
  return andThen(provenChain(input, caller, nowMs, deps), (chain) => {
    if (isDeny(chain)) return { decision: chain, caller, service }
    const target = deps.targetOf(service, toRequest(input), revision)
    if (isDeny(target)) return { decision: target, caller, chain, service }
    const decision = deps.judge(caller, chain, target, revision)
    return handOn({ decision, caller, chain, service, target }, nowMs, deps)
  })
}

type Judged = Required<Omit<Findings, 'onward'>>

/** What was judged, with a chain for the callee if it is to have one. */
function handOn(found: Judged, nowMs: number, deps: LineDeps): Eventual<Findings> {
  const { decision, caller, chain, service, target } = found
  // Where the policies' refusal is only observed, a proven chain goes on: whoever comes next is to be observed with it.
  const goesOn =
    isDeny(decision) && decision.code === 'policy_denied' && deps.isObserving(service.name, nowMs)
  if (isDeny(decision) && !goesOn) return found
  if (chain.kind === 'none' || !service.forwards) return found
  return andThen(deps.extendChain(chain, caller, service, nowMs), (onward) => {
    if (!isDeny(onward)) return { decision, caller, chain, service, target, onward }
    return isDeny(decision) ? found : { ...found, decision: onward }
  })
}
