import { expect } from 'chai'
import type { FeedRequest, FeedState, KeyFetch } from '../../../src/server/provider-keys/key-feed.ts'
import { createRelayedKeys } from '../../../src/server/workers/relayed-keys.ts'
import { openSharedKeys } from '../../../src/server/workers/shared-keys.ts'
import {
  parseOrder,
  parseWorkerMessage,
  type WorkerMessage,
} from '../../../src/server/workers/worker-channel.ts'

const source = { kind: 'remote', url: 'https://idp.example/jwks' } as FeedRequest['source']
const request: FeedRequest = { name: 'hospital', issuer: 'https://idp.example', key: 'users.0.keys', source }
const stateOf = (text: string): FeedState => ({ set: { text, readAtMs: 1 }, notices: [text] })

/** A feed of the primary whose state and answers the test sets. */
function createFeed(first: FeedState) {
  const listeners: (() => void)[] = []
  const feed = {
    now: first,
    kids: [] as string[],
    answer: { kind: 'lacking' } as KeyFetch,
    change(state: FeedState) {
      feed.now = state
      for (const listener of listeners) listener()
    },
    state: () => feed.now,
    onChange: (listener: () => void) => void listeners.push(listener),
    async fetchKey(kid: string) {
      feed.kids.push(kid)
      return feed.answer
    },
  }
  return feed
}

/** Both sides, joined as a channel between processes joins them: by copies that were parsed. */
async function join(feed: ReturnType<typeof createFeed>) {
  const shared = await openSharedKeys([request], async () => feed)
  const take = (order: object) => {
    const parsed = parseOrder(structuredClone(order))
    if (parsed === undefined) throw new TypeError(`no order: ${JSON.stringify(order)}`)
    relayed.take(parsed)
  }
  const send = (message: WorkerMessage) => {
    const parsed = parseWorkerMessage(structuredClone(message))
    if (parsed?.kind !== 'fetch_key') throw new TypeError('no message')
    const { id, provider, kid } = parsed
    void shared.fetchKey(provider, kid).then((fetched) => take({ kind: 'key_fetched', id, fetched }))
  }
  const relayed = createRelayedKeys(send)
  take({ kind: 'open', worker: 1, file: 'a', text: 'b', keys: shared.states() })
  shared.onChange((changed) => take({ kind: 'keys', ...changed }))
  return { shared, feed: await relayed.openFeed(request), openFeed: relayed.openFeed }
}

describe('server/workers/relayed-keys', () => {
  it('has what the primary had fetched when the worker started', async () => {
    const { feed } = await join(createFeed(stateOf('a')))
    expect(feed.state()).to.deep.equal(stateOf('a'))
  })

  it('says that there are none, for a provider that the primary has no keys of', async () => {
    const { feed, openFeed } = await join(createFeed({ set: undefined, notices: ['down'] }))
    expect(feed.state()).to.deep.equal({ set: undefined, notices: ['down'] })
    const other = await openFeed({ ...request, name: 'other' })
    expect(other.state()).to.deep.equal({ set: undefined, notices: [] })
    expect(await other.fetchKey('a')).to.deep.equal({ kind: 'failed' })
  })

  it('learns of each change', async () => {
    const fetched = createFeed(stateOf('a'))
    const { feed } = await join(fetched)
    const seen: unknown[] = []
    feed.onChange(() => seen.push(feed.state()))
    fetched.change(stateOf('b'))
    expect(seen).to.deep.equal([stateOf('b')])
  })

  const answers: readonly KeyFetch[] = [
    { kind: 'brought' },
    { kind: 'lacking' },
    { kind: 'failed' },
    { kind: 'too_soon', retryMs: 70 },
  ]
  for (const answer of answers) {
    it(`lets the primary fetch a key, and hears that it is ${answer.kind}`, async () => {
      const fetched = createFeed(stateOf('a'))
      const { feed } = await join(fetched)
      fetched.answer = answer
      const heard = await Promise.all([feed.fetchKey('one'), feed.fetchKey('two')])
      expect(heard).to.deep.equal([answer, answer])
      expect(fetched.kids).to.deep.equal(['one', 'two'])
    })
  }

  it('has a key that a fetch has brought before it hears so', async () => {
    const fetched = createFeed(stateOf('a'))
    const { feed } = await join(fetched)
    fetched.fetchKey = async () => {
      fetched.change(stateOf('with one'))
      return { kind: 'brought' }
    }
    await feed.fetchKey('one')
    expect(feed.state()).to.deep.equal(stateOf('with one'))
  })
})
