import { expect } from 'chai'
import type { DelegatedChain, FirstHop } from '../../src/base/model/chain.ts'
import { type Deny, isDeny } from '../../src/base/model/decision.ts'
import { mintChild, type SignedChain } from '../../src/decision/chain/extend.ts'
import { noRevocations } from '../../src/decision/chain/revocations.ts'
import { admitChain, verifySignedChain } from '../../src/decision/chain/verify.ts'
import { caller, clerk, mintOptions, nowMs, service, trust, uris } from '../support/hospital.ts'

const ids = { jti: 'jti', txn: 'txn' }

/** A chain that its holder may present, and who holds it. */
type Held = { readonly chain: DelegatedChain; readonly holder: string }

describe('the length of a chain', () => {
  for (const { maxDepth, parties } of [
    { maxDepth: 1, parties: [uris.agentA, uris.agentD] },
    { maxDepth: 2, parties: [uris.agentA, uris.agentD, uris.agentR] },
    { maxDepth: 4, parties: [uris.agentA, uris.agentD, uris.agentR] },
  ]) {
    it(`is bounded through every sequence of calls among ${parties.length}, with maxDepth ${maxDepth}`, () => {
      const longest = createLongest(maxDepth, parties)
      const signed = mint(clerk, uris.gateway, uris.agentA, maxDepth)
      const begun = isDeny(signed) ? undefined : hold(signed, uris.agentA, maxDepth)
      // Each hop adds an actor, is counted as a call of an agent to itself, or is followed by one that adds an actor.
      expect(begun && longest(begun)).to.be.within(2 * maxDepth, 3 * maxDepth + 1)
    })
  }
})

/** The most calls that can follow one another from a chain on; chains that differ only in their ids are followed once. */
function createLongest(maxDepth: number, parties: readonly string[]): (held: Held) => number {
  const known = new Map<string, number>()
  const longest = (held: Held): number => {
    const key = JSON.stringify([held.holder, held.chain.actors.map(({ uri }) => uri), held.chain.selfCalls])
    const before = known.get(key)
    if (before !== undefined) return before
    // A walk that comes back here could go round for ever.
    known.set(key, Number.POSITIVE_INFINITY)
    const next = parties.map((callee) => {
      const signed = mint(held.chain, held.holder, callee, maxDepth)
      if (isDeny(signed)) return 0
      const child = hold(signed, callee, maxDepth)
      return child === undefined ? 1 : 1 + longest(child)
    })
    const most = Math.max(...next)
    known.set(key, most)
    return most
  }
  return longest
}

function mint(
  chain: DelegatedChain | FirstHop,
  from: string,
  to: string,
  maxDepth: number,
): SignedChain | Deny {
  return mintChild(chain, caller(from), service(to), { ...mintOptions, maxDepth }, nowMs, ids)
}

/** A minted chain as its holder may present it, unless that is too deep. */
function hold(signed: SignedChain, holder: string, maxDepth: number): Held | undefined {
  const limits = { ...trust, maxDepth }
  const proven = verifySignedChain(signed.token, limits)
  if (isDeny(proven)) throw new TypeError(proven.reason)
  const chain = admitChain(proven, caller(holder), limits, nowMs, noRevocations)
  return isDeny(chain) ? undefined : { chain, holder }
}
