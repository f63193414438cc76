import { createBoundedMap } from '../../base/cache/bounded-map.ts'
import { type Deny, deny } from '../../base/model/decision.ts'
import type { MaybePromise } from '../../base/model/maybe-promise.ts'
import type { KeyNeed } from '../../base/model/need.ts'
import { byDeadline } from '../by-deadline.ts'
import type { KeyFeed, KeyFetch } from './key-feed.ts'

/** The bounds of the fetches that tokens can cause. */
export type KeyDemandOptions = Pick<KeyFeed, 'fetchKey'> & {
  /** How long a key that a fetch did not bring counts as unknown. */
  readonly cooldownMs: number
  /** Checks that may wait at once. Others are answered without: nobody else's place may be taken by a provider that hangs. */
  readonly maxWaiting: number
  /** Monotonic clock. */
  readonly elapsedMs: () => number
  /** Hears of each token whose key is unknown. */
  readonly onMiss: () => void
}

/** Fetches keys that tokens name and nobody knows; what comes back says why one cannot be had. */
export type KeyDemand = (need: KeyNeed, byMs: number) => MaybePromise<Deny | undefined>

const maxUnknown = 1000
/** Another attempt may be answered by the fetch that this one waited for. */
const soonMs = 1000

/** Makes the demand for the keys of one provider. */
export function createKeyDemand(options: KeyDemandOptions): KeyDemand {
  const { fetchKey, cooldownMs, maxWaiting, elapsedMs, onMiss } = options
  const unknown = createBoundedMap<{ readonly untilMs: number }>(maxUnknown)
  let closedUntilMs = 0
  let waiting = 0

  const learn = (kid: string, fetched: KeyFetch): void => {
    const nowMs = elapsedMs()
    if (fetched.kind === 'lacking') unknown.set(kid, { untilMs: nowMs + cooldownMs })
    if (fetched.kind === 'too_soon') closedUntilMs = nowMs + fetched.retryMs
  }
  const fetch = async (need: KeyNeed): Promise<Deny | undefined> => {
    const fetched = await fetchKey(need.kid)
    learn(need.kid, fetched)
    return toDenial(need, fetched, cooldownMs)
  }
  return (need, byMs) => {
    onMiss()
    const nowMs = elapsedMs()
    const untilMs = Math.max(unknown.get(need.kid)?.untilMs ?? 0, closedUntilMs)
    if (untilMs > nowMs) return refuse(need, 'and no fetch is due', untilMs - nowMs)
    // The waiting checks have begun a fetch, which answers the next attempt.
    if (waiting >= maxWaiting) return refuse(need, `and ${waiting} checks wait for a fetch`, soonMs)
    waiting++
    const late = (): Deny => refuse(need, 'and the fetch takes longer than the check may', soonMs)
    return byDeadline(fetch(need), byMs, late).finally(() => {
      waiting--
    })
  }
}

function toDenial(need: KeyNeed, fetched: KeyFetch, cooldownMs: number): Deny | undefined {
  switch (fetched.kind) {
    case 'brought':
      return undefined
    case 'lacking':
      return refuse(need, 'nor has the set that was just fetched', cooldownMs)
    case 'failed':
      return refuse(need, 'and the set cannot be fetched', soonMs)
    case 'too_soon':
      return refuse(need, 'and no fetch is due', fetched.retryMs)
  }
}

function refuse({ unmet }: KeyNeed, why: string, retryMs: number): Deny {
  const { issuer = '' } = unmet
  const denial = deny('token_key_unknown', `${unmet.reason}, ${why}`)
  return { ...denial, issuer, retryAfterSeconds: Math.max(1, Math.ceil(retryMs / 1000)) }
}
