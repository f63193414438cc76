import type { FeedRequest, FeedState, KeyFeed, KeyFetch } from '../provider-keys/key-feed.ts'
import type { OpenFeed } from '../provider-keys/open-feed.ts'

/** The primary's state of a provider's keys, by the configured name of the provider. */
export type KeyState = { readonly provider: string; readonly state: FeedState }

/** Providers' keys that the primary fetches once for all workers. */
export type SharedKeys = {
  readonly states: () => readonly KeyState[]
  readonly onChange: (listener: (changed: KeyState) => void) => void
  readonly fetchKey: (provider: string, kid: string) => Promise<KeyFetch>
}

/** Opens all feeds, so that each worker has keys from its start on. */
export async function openSharedKeys(
  requests: readonly FeedRequest[],
  openFeed: OpenFeed,
): Promise<SharedKeys> {
  const opened = requests.map(async (request) => [request.name, await openFeed(request)] as const)
  const feeds: ReadonlyMap<string, KeyFeed> = new Map(await Promise.all(opened))
  return {
    states: () => [...feeds].map(([provider, feed]) => ({ provider, state: feed.state() })),
    onChange(listener) {
      for (const [provider, feed] of feeds) feed.onChange(() => listener({ provider, state: feed.state() }))
    },
    fetchKey: async (provider, kid) => (await feeds.get(provider)?.fetchKey(kid)) ?? { kind: 'failed' },
  }
}
