import type { FeedState, KeyFeed, KeyFetch } from '../provider-keys/key-feed.ts'
import type { OpenFeed } from '../provider-keys/open-feed.ts'
import type { KeyState } from './shared-keys.ts'
import type { Order, WorkerMessage } from './worker-channel.ts'

/** Providers' keys as a worker gets them: from the primary, which alone fetches. */
export type RelayedKeys = {
  readonly openFeed: OpenFeed
  /** Takes over what an order says of keys. */
  readonly take: (order: Order) => void
}

/** Creates the worker's side; `send` reaches the primary. */
export function createRelayedKeys(send: (message: WorkerMessage) => void): RelayedKeys {
  const states = new Map<string, FeedState>()
  const listeners = new Map<string, Set<() => void>>()
  const asked = new Map<number, (fetched: KeyFetch) => void>()
  let ids = 0
  const set = ({ provider, state }: KeyState): void => {
    states.set(provider, state)
    for (const listener of listeners.get(provider) ?? []) listener()
  }
  return {
    async openFeed({ name }): Promise<KeyFeed> {
      return {
        state: () => states.get(name) ?? { set: undefined, notices: [] },
        onChange(listener) {
          listeners.set(name, (listeners.get(name) ?? new Set()).add(listener))
        },
        fetchKey: (kid) =>
          new Promise((resolve) => {
            const id = ++ids
            asked.set(id, resolve)
            send({ kind: 'fetch_key', id, provider: name, kid })
          }),
      }
    },
    take(order) {
      if (order.kind === 'open') for (const state of order.keys) set(state)
      else if (order.kind === 'keys') set(order)
      else if (order.kind === 'key_fetched') {
        asked.get(order.id)?.(order.fetched)
        asked.delete(order.id)
      }
    },
  }
}
