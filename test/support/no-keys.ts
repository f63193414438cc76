import type { OpenFeed } from '../../src/server/provider-keys/open-feed.ts'
import type { SharedKeys } from '../../src/server/workers/shared-keys.ts'

/** Opens a feed that never has keys. */
export const openNoFeed: OpenFeed = async () => ({
  state: () => ({ set: undefined, notices: [] }),
  onChange: () => {},
  fetchKey: async () => ({ kind: 'failed' }),
})

/** The shared state of a primary that fetches no keys. */
export const noSharedKeys: SharedKeys = {
  states: () => [],
  onChange: () => {},
  fetchKey: async () => ({ kind: 'failed' }),
}
