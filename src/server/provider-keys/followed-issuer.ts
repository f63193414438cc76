import type { Report } from '../../base/model/event.ts'
import { isInvalid } from '../../base/model/invalid.ts'
import type { RemoteKeys } from '../../config/key-source.ts'
import type { UserIssuer } from '../../decision/identity/user-issuer.ts'
import {
  keyNotices,
  type ProviderKeys,
  parseProviderKeys,
  unknownKeys,
} from '../../decision/jws/provider-keys.ts'
import { createKeyDemand, type KeyDemand } from './key-demand.ts'
import type { KeyFeed } from './key-feed.ts'

/** A provider whose keys are fetched, as checks and operators see it. */
export type FollowedIssuer = {
  readonly issuer: () => UserIssuer
  readonly demand: KeyDemand
  readonly notices: () => readonly string[]
}

/** The settings of the provider besides its keys, and the bounds of the checks that wait for one. */
export type FollowedIssuerOptions = {
  readonly user: Omit<UserIssuer, 'keys'>
  readonly source: RemoteKeys
  readonly maxWaiting: number
  /** Wall clock, by which a set says when it was read. */
  readonly nowMs: () => number
  /** Monotonic clock, by which it gets old. */
  readonly elapsedMs: () => number
  readonly report: Report
}

/** Follows a feed: its last good set is in force until it is too old. */
export function followIssuer(feed: KeyFeed, options: FollowedIssuerOptions): FollowedIssuer {
  const { user, source, maxWaiting, nowMs, elapsedMs, report } = options
  const without: UserIssuer = { ...user, keys: unknownKeys, canFetchKeys: true }
  let text: string | undefined
  let keys: ProviderKeys | undefined
  let current = { issuer: without, endsMs: 0 }
  const take = (): void => {
    const { set } = feed.state()
    if (set === undefined) return
    if (set.text !== text) {
      const parsed = parseProviderKeys(set.text, keys)
      // The feed has parsed it already, with the same result.
      if (isInvalid(parsed)) return
      text = set.text
      keys = parsed
      report({ kind: 'source_loaded', what: 'issuer_keys', names: [user.name], entries: parsed.keys.size })
      report({ kind: 'issuer_keys_checked', issuer: user.name, unusable: keyNotices(parsed) })
    }
    if (keys === undefined) return
    const ageMs = Math.max(0, nowMs() - set.readAtMs)
    const endsMs = elapsedMs() + source.maxStalenessMs - ageMs
    // The same object as long as the keys are the same.
    const issuer = current.issuer.keys === keys ? current.issuer : { ...without, keys }
    current = { issuer, endsMs }
    report({ kind: 'issuer_keys_read', issuer: user.name, atMs: set.readAtMs })
  }
  feed.onChange(take)
  take()
  const isOld = (): boolean => keys !== undefined && elapsedMs() > current.endsMs
  return {
    issuer: () => (isOld() ? without : current.issuer),
    demand: createKeyDemand({
      fetchKey: feed.fetchKey.bind(feed),
      cooldownMs: source.cooldownMs,
      maxWaiting,
      elapsedMs,
      onMiss: () => report({ kind: 'issuer_key_missed', issuer: user.name }),
    }),
    notices: () => [
      ...(isOld()
        ? [`users \`${user.name}\`: the keys are older than \`maxStaleness\`: every login is refused`]
        : []),
      ...feed.state().notices,
    ],
  }
}
