import { createBoundedMap } from '../cache/bounded-map.ts'
import { type Headers, singleHeader } from '../model/check-input.ts'
import { type Deny, deny } from '../model/decision.ts'
import type { SpiffeId } from '../model/spiffe-id.ts'
import { traceIdOf } from '../model/trace-id.ts'
import type { SignedChain } from './extend.ts'

/** By what a chain may be found again, and how many are kept. */
export type RecoveryOptions = {
  /** The trace id of `traceparent`, which OpenTelemetry hands on by itself. */
  readonly byTrace: boolean
  /** Headers that hold a session's or conversation's id, such as `mcp-session-id`. */
  readonly byHeaders: readonly string[]
  readonly maxChains: number
}

/** What tells chains apart: an agent that could mean either of two gets neither. */
export type ChainMeaning = {
  readonly txn: string
  readonly actors: readonly SpiffeId[]
  readonly scopes: readonly string[]
}

/** Chains of agents that lose the header, by whom they were minted for and an id that the request hands on. */
export type Recovery = {
  readonly keep: (headers: Headers, holder: SpiffeId, signed: SignedChain, meaning: ChainMeaning) => void
  /** The one live chain that was minted for this caller under an id that its request carries; denied when there are two. */
  readonly find: (headers: Headers, caller: SpiffeId, nowMs: number) => string | Deny | undefined
}

type Kept = { readonly token: string; readonly meaning: string; readonly expiresAt: number }

const maxIdLength = 256
const maxMeanings = 8

/**
 * Keeps chains in this process alone. The key has the caller that mTLS proved, so nobody finds another's chain; but the
 * id was chosen upstream, which is why the chain is marked as recovered, and why doubt denies.
 */
export function createRecovery({ byTrace, byHeaders, maxChains }: RecoveryOptions): Recovery {
  const chains = createBoundedMap<readonly Kept[]>(maxChains)
  const keysOf = (headers: Headers, holder: SpiffeId): readonly string[] => {
    const trace = byTrace ? traceIdOf(headers) : undefined
    const ids = byHeaders.flatMap((name) => {
      const header = singleHeader(headers, name)
      const isId =
        header !== undefined &&
        header !== 'repeated' &&
        header.value !== '' &&
        header.value.length <= maxIdLength
      return isId ? [[name, header.value]] : []
    })
    return [...(trace === undefined ? [] : [['trace', trace]]), ...ids].map((id) =>
      JSON.stringify([holder.uri, ...id]),
    )
  }
  return {
    keep(headers, holder, { token, expiresAt }, { txn, actors, scopes }) {
      const meaning = JSON.stringify([txn, actors.map(({ uri }) => uri), scopes])
      for (const key of keysOf(headers, holder)) {
        const others = (chains.get(key) ?? []).filter((kept) => kept.meaning !== meaning)
        chains.set(key, [{ token, meaning, expiresAt }, ...others].slice(0, maxMeanings))
      }
    },
    find(headers, caller, nowMs) {
      const kept = keysOf(headers, caller).flatMap((key) => chains.get(key) ?? [])
      const live = kept.filter(({ expiresAt }) => expiresAt * 1000 > nowMs)
      const [first] = live
      if (live.some(({ meaning }) => meaning !== first?.meaning)) {
        return deny('chain_missing', 'no chain, and several live ones could be meant by its correlation ids')
      }
      return first?.token
    },
  }
}
