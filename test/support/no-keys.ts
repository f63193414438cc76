import type { OpenFeed } from '../../src/server/provider-keys/open-feed.ts'
import type { SharedKeys } from '../../src/server/workers/shared-keys.ts'

/** Opens a feed that never has keys. */
export const openNoFeed: OpenFeed = async () => ({
  state: () => ({ set: undefined, notices: [] }),
  onChange: () => {},
  fetchKey: async () => ({ kind: 'failed' }),
})

/** What a primary shares if no keys are fetched. */
export const noSharedKeys: SharedKeys = {
  states: () => [],
  onChange: () => {},
  fetchKey: async () => ({ kind: 'failed' }),
}
