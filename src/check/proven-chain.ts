import { rememberEach } from '../cache/remember.ts'
import { presentedChain } from '../chain/verify.ts'
import type { Caller } from '../model/caller.ts'
import type { Chain, DelegatedChain, FirstHop } from '../model/chain.ts'
import type { CheckInput, Headers } from '../model/check-input.ts'
import { type Deny, deny, isDeny } from '../model/decision.ts'
import { andThen, type Eventual } from '../model/eventual.ts'

/** What proves on whose behalf a request comes. */
export type ChainProofs = {
  /** The header in which a chain travels. */
  readonly header: string
  /** Signature, holder, times, depth and revocation of a presented chain. */
  readonly verifyChain: (text: string, caller: Caller, nowMs: number) => Eventual<DelegatedChain | Deny>
  /** A user's own token, which only an ingress peer may present. */
  readonly verifyUserToken: (headers: Headers, caller: Caller, nowMs: number) => Eventual<FirstHop | Deny>
  /** Whether the request carries a user's own token, which agents may not present. */
  readonly carriesUserToken: (input: CheckInput) => boolean
  /** A chain that the caller was given and has lost: as text, or a denial when it is in doubt. */
  readonly recoverChain: (headers: Headers, caller: Caller, nowMs: number) => string | Deny | undefined
  readonly checkRevoked: (chain: Chain, caller: Caller, nowMs: number) => Deny | undefined
}

/** On whose behalf the caller comes. No chain is a kind of its own, which `judge` admits only where the catalog says so. */
export function provenChain(
  input: CheckInput,
  caller: Caller,
  nowMs: number,
  proofs: ChainProofs,
): Eventual<Chain | Deny> {
  const presented = presentedChain(input.headers, proofs.header)
  if (presented !== undefined && isDeny(presented)) return presented
  if (caller.isIngress) {
    if (presented !== undefined)
      return deny('chain_not_yours', 'a chain that comes through ingress is not ours to believe')
    return andThen(proofs.verifyUserToken(input.headers, caller, nowMs), (firstHop) =>
      isDeny(firstHop) ? firstHop : (proofs.checkRevoked(firstHop, caller, nowMs) ?? firstHop),
    )
  }
  if (proofs.carriesUserToken(input)) {
    return deny('token_from_agent', 'a user token for ingress, presented by somebody else: it has drifted')
  }
  if (presented !== undefined) return proofs.verifyChain(presented.value, caller, nowMs)
  const recovered = proofs.recoverChain(input.headers, caller, nowMs)
  if (typeof recovered === 'object') return recovered
  if (recovered !== undefined) {
    return andThen(proofs.verifyChain(recovered, caller, nowMs), (chain) =>
      isDeny(chain) ? chain : asRecovered(chain),
    )
  }
  return proofs.checkRevoked(none, caller, nowMs) ?? none
}

const none = { kind: 'none' } as const

/** The same object for the same chain, as `verifyChain` gives it. */
const asRecovered = rememberEach((chain: DelegatedChain): DelegatedChain => ({ ...chain, isRecovered: true }))
