import { createBoundedMap } from '../cache/bounded-map.ts'
import { type Headers, singleHeader } from '../model/check-input.ts'
import { type Deny, deny } from '../model/decision.ts'
import type { SpiffeId } from '../model/spiffe-id.ts'
import { traceIdOf } from '../model/trace-context.ts'

/** By what a chain may be found again, and how many are kept. */
export type RecoveryOptions = {
  /** The trace id of `traceparent`, which OpenTelemetry hands on by itself. */
  readonly byTrace: boolean
  /** Headers that hold a session's or conversation's id, such as `mcp-session-id`. */
  readonly byHeaders: readonly string[]
  readonly maxChains: number
}

/** What is handed to a callee: a chain and what tells it apart from others, or nothing. */
export type Handing =
  | {
      readonly token: string
      readonly txn: string
      readonly actors: readonly SpiffeId[]
      readonly scopes: readonly string[]
      readonly expiresAt: number
    }
  /** The callee serves somebody who has no chain; until then its own calls may be meant for them. */
  | { readonly token: undefined; readonly expiresAt: number }

/** Chains of agents that lose the header, by whom they were minted for and an id that the request hands on. */
export type Recovery = {
  /** The headers that hold ids. */
  readonly names: readonly string[]
  readonly keep: (headers: Headers, holder: SpiffeId, handing: Handing) => void
  /** The one live chain that was minted for this caller under an id that its request carries; denied when in doubt. */
  readonly find: (headers: Headers, caller: SpiffeId, nowMs: number) => string | Deny | undefined
  /** Headers that hold an id which two readers could read differently, and which must not reach a callee. */
  readonly unusable: (headers: Headers) => readonly string[]
}

/** The newest handing under one id, and until when another one could be meant; seconds since the epoch. */
type Kept = {
  readonly token: string | undefined
  readonly meaning: string
  readonly expiresAt: number
  readonly othersUntil: number
}

const maxIdLength = 256
const traceHeader = 'traceparent'

/**
 * Keeps chains in this process alone. The key has the caller that mTLS proved, so nobody finds another's chain; but the
 * id was chosen upstream, which is why the chain is marked as recovered, and why doubt denies.
 */
export function createRecovery({ byTrace, byHeaders, maxChains }: RecoveryOptions): Recovery {
  const chains = createBoundedMap<Kept>(maxChains)
  const names = byTrace ? [traceHeader, ...byHeaders] : byHeaders
  const keysOf = (headers: Headers, holder: SpiffeId): readonly string[] =>
    names.flatMap((name) => {
      const id = readId(headers, name)
      return id === undefined ? [] : [JSON.stringify([holder.uri, name, id])]
    })
  return {
    names,
    keep(headers, holder, handing) {
      const meaning = toMeaning(handing)
      for (const key of keysOf(headers, holder)) {
        const former = chains.get(key)
        const formerUntil = former === undefined || former.meaning === meaning ? 0 : former.expiresAt
        const othersUntil = Math.max(formerUntil, former?.othersUntil ?? 0)
        chains.set(key, { token: handing.token, meaning, expiresAt: handing.expiresAt, othersUntil })
      }
    },
    find(headers, caller, nowMs) {
      const now = nowMs / 1000
      const kept = keysOf(headers, caller).flatMap((key) => chains.get(key) ?? [])
      const live = kept.filter(({ expiresAt, othersUntil }) => Math.max(expiresAt, othersUntil) > now)
      const [first] = live
      const isDoubtful = live.some(
        ({ meaning, othersUntil }) => meaning !== first?.meaning || othersUntil > now,
      )
      if (isDoubtful) return deny('chain_missing', 'no chain, and its correlation ids could mean several')
      return first?.token
    },
    unusable: (headers) => names.filter((name) => headers.has(name) && readId(headers, name) === undefined),
  }
}

function readId(headers: Headers, name: string): string | undefined {
  if (name === traceHeader) return traceIdOf(headers)
  const header = singleHeader(headers, name)
  if (header === undefined || header === 'repeated') return undefined
  // Envoy joins what came twice by a comma.
  const isId = header.value !== '' && header.value.length <= maxIdLength && !header.value.includes(',')
  return isId ? header.value : undefined
}

function toMeaning(handing: Handing): string {
  if (handing.token === undefined) return 'nothing'
  const { txn, actors, scopes } = handing
  return JSON.stringify([txn, actors.map(({ uri }) => uri), scopes])
}
