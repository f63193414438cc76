import type { RemoteKeys } from '../../config/key-source.ts'

/** A provider whose keys are fetched. */
export type FeedRequest = {
  /** The configured name of the provider, and the `iss` of its tokens. */
  readonly name: string
  readonly issuer: string
  /** The place of the source in the configuration, such as `users.0.keys`. */
  readonly key: string
  readonly source: RemoteKeys
}

/** A set of keys as its provider published it. */
export type PublishedSet = {
  readonly text: string
  /** When it was read from the provider, milliseconds since the epoch. */
  readonly readAtMs: number
}

/** The known keys of a provider. */
export type FeedState = {
  /** The last good set; `undefined` while none was read. */
  readonly set: PublishedSet | undefined
  /** Why what the provider says now is not in force, and what else an operator should know. */
  readonly notices: readonly string[]
}

/** The result of a fetch for a key. */
export type KeyFetch =
  /** The set has the key now. */
  | { readonly kind: 'brought' }
  /** A fetch that began after it was asked for has ended well, and the set lacks the key. */
  | { readonly kind: 'lacking' }
  /** Nothing could be fetched. */
  | { readonly kind: 'failed' }
  /** So many fetches were made for keys that the next one has to wait. */
  | { readonly kind: 'too_soon'; readonly retryMs: number }

/** A provider's keys as a process that decides gets them: fetched by itself, or by the process that accepts for it. */
export type KeyFeed = {
  readonly state: () => FeedState
  readonly onChange: (listener: () => void) => void
  /** Fetches the set for the sake of a key. Never rejects. */
  readonly fetchKey: (kid: string) => Promise<KeyFetch>
}
