import { hash } from 'node:crypto'
import { createBoundedMap } from '../../base/cache/bounded-map.ts'
import { traceIdOf } from '../../base/http/trace-context.ts'
import { type Headers, singleHeader } from '../../base/model/check-input.ts'
import { type Deny, deny } from '../../base/model/decision.ts'
import type { SpiffeId } from '../../base/model/spiffe-id.ts'
import { skewSeconds } from './token.ts'

/** Which ids of a request can find a chain again, and how many chains are kept. */
export type RecoveryOptions = {
  /** The trace id of `traceparent`, which OpenTelemetry propagates by itself. */
  readonly byTrace: boolean
  /** Headers that hold the id of a session or conversation, such as `mcp-session-id`. */
  readonly byHeaders: readonly string[]
  readonly maxChains: number
  /** Until when this workload may hold a chain that this process does not know, in seconds since the epoch. */
  readonly unknownUntil: (holder: SpiffeId) => number
}

/** One handover to a callee: a chain and the fields that distinguish it, or no chain. */
export type Handing =
  | {
      readonly token: string
      readonly txn: string
      readonly actors: readonly SpiffeId[]
      readonly scopes: readonly string[]
      readonly expiresAt: number
    }
  /** A call without a chain. Until `expiresAt`, later calls of this callee may belong to it. */
  | { readonly token: undefined; readonly expiresAt: number }

/** Chains of agents that lose the header. The key is the holder and an id that the request carries on. */
export type Recovery = {
  /** The names of the headers that hold ids. */
  readonly names: readonly string[]
  readonly keep: (headers: Headers, holder: SpiffeId, handing: Handing) => void
  /**
   * Returns the one live chain that was minted for this caller under an id of the request. Denies if another chain could
   * be meant. That includes chains that were evicted and chains from before the start of this process.
   */
  readonly find: (headers: Headers, caller: SpiffeId, nowMs: number) => string | Deny | undefined
  /** Headers whose id two readers could read differently. They must not reach a callee. */
  readonly unusable: (headers: Headers) => readonly string[]
  /** Until when ids may be ambiguous because chains were evicted, in seconds since the epoch; 0 if none were. */
  readonly lostUntil: () => number
}

/** The newest handover under one id, and until when another one could be meant. Times are seconds since the epoch. */
type Kept = {
  readonly token: string | undefined
  readonly meaning: string
  readonly expiresAt: number
  readonly othersUntil: number
}

const maxIdLength = 256
const traceHeader = 'traceparent'

/**
 * Keeps chains in the memory of this process only. The key contains the caller that mTLS proved, so no workload finds the
 * chain of another. The id was chosen upstream, so a found chain is marked as recovered, and ambiguity denies.
 */
export function createRecovery(options: RecoveryOptions): Recovery {
  const { byTrace, byHeaders, maxChains, unknownUntil } = options
  const evicted = createEvicted()
  const chains = createBoundedMap<Kept>(maxChains, (key, kept) => evicted.note(key, endOf(kept)))
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
        const othersUntil = former === undefined ? evicted.until(key) : othersOf(former, meaning)
        chains.set(key, { token: handing.token, meaning, expiresAt: handing.expiresAt, othersUntil })
      }
    },
    find(headers, caller, nowMs) {
      const now = nowMs / 1000
      const kept = keysOf(headers, caller).flatMap((key) => chains.get(key) ?? [])
      const live = kept.filter(({ expiresAt, othersUntil }) => Math.max(expiresAt, othersUntil) > now)
      const [first] = live
      if (first === undefined) return undefined
      if (now < unknownUntil(caller))
        return deny('chain_missing', 'no chain, and its correlation ids could mean one from before the start')
      const isDoubtful = live.some(
        ({ meaning, othersUntil }) => meaning !== first.meaning || othersUntil > now,
      )
      if (isDoubtful) return deny('chain_missing', 'no chain, and its correlation ids could mean several')
      return first.token
    },
    lostUntil: evicted.latest,
    unusable: (headers) => names.filter((name) => headers.has(name) && readId(headers, name) === undefined),
  }
}

/** Until when another handover could be meant, after a handover with this meaning follows the former. */
function othersOf(former: Kept, meaning: string): number {
  return former.meaning === meaning ? former.othersUntil : endOf(former)
}

/** Until when a call can belong to one of these handovers. A chain in a header is admitted for the same time. */
function endOf({ expiresAt, othersUntil }: Kept): number {
  return Math.max(expiresAt + skewSeconds, othersUntil)
}

/** Until when evicted handovers could be meant, by key; seconds since the epoch, 0 for none. */
type Evicted = {
  readonly note: (key: string, until: number) => void
  readonly until: (key: string) => number
  readonly latest: () => number
}

/** 4 MiB. */
const evictedSlots = 1 << 20

/** Keys share slots. A shared slot can make a key ambiguous by mistake; it never makes an ambiguous key certain. */
function createEvicted(): Evicted {
  const slots = new Uint32Array(evictedSlots)
  let latest = 0
  const slotOf = (key: string): number => hash('sha256', key, 'buffer').readUInt32LE() % evictedSlots
  return {
    note(key, until) {
      const slot = slotOf(key)
      slots[slot] = Math.max(slots[slot] ?? 0, Math.ceil(until))
      latest = Math.max(latest, Math.ceil(until))
    },
    until: (key) => slots[slotOf(key)] ?? 0,
    latest: () => latest,
  }
}

function readId(headers: Headers, name: string): string | undefined {
  if (name === traceHeader) return traceIdOf(headers)
  const header = singleHeader(headers, name)
  if (header === undefined || header === 'repeated') return undefined
  // Envoy joins repeated headers with a comma.
  const isId = header.value !== '' && header.value.length <= maxIdLength && !header.value.includes(',')
  return isId ? header.value : undefined
}

function toMeaning(handing: Handing): string {
  if (handing.token === undefined) return 'nothing'
  const { txn, actors, scopes } = handing
  return JSON.stringify([txn, actors.map(({ uri }) => uri), scopes])
}
