import { expect } from 'chai'
import type { Event } from '../../../src/base/model/event.ts'
import { unknownKeys } from '../../../src/decision/jws/provider-keys.ts'
import { followIssuer } from '../../../src/server/provider-keys/followed-issuer.ts'
import type { FeedState } from '../../../src/server/provider-keys/key-feed.ts'
import { factsOf } from '../../support/built-checker.ts'
import { readJwks } from '../../support/forge.ts'
import { nowMs } from '../../support/hospital.ts'

const hourMs = 3_600_000
const texts = { first: readJwks('hospital-idp'), second: readJwks('hospital-idp', 'partner-idp') }

/** A follower whose feed and clocks the test moves. */
function follow(first?: FeedState['set']) {
  const [user] = factsOf().issuers
  if (user === undefined) throw new TypeError('no issuer')
  const clocks = { nowMs, elapsedMs: 0 }
  const events: Event[] = []
  const listeners: (() => void)[] = []
  let state: FeedState = { set: first, notices: ['a notice of the feed'] }
  const source = {
    kind: 'remote' as const,
    url: 'https://idp.example/jwks',
    discovery: undefined,
    ca: undefined,
    everyMs: hourMs,
    cooldownMs: 10_000,
    keep: undefined,
    seed: undefined,
    maxStalenessMs: 24 * hourMs,
  }
  const followed = followIssuer(
    {
      state: () => state,
      onChange: (listener) => listeners.push(listener),
      fetchKey: async () => ({ kind: 'failed' }),
    },
    {
      user,
      source,
      maxWaiting: 10,
      nowMs: () => clocks.nowMs,
      elapsedMs: () => clocks.elapsedMs,
      report: (event) => events.push(event),
    },
  )
  return {
    ...followed,
    clocks,
    kinds: () => events.map(({ kind }) => kind),
    change(set: FeedState['set']) {
      state = { ...state, set }
      for (const listener of listeners) listener()
    },
    isKnown: () => followed.issuer().keys !== unknownKeys,
  }
}

describe('server/provider-keys/followed-issuer', () => {
  it('knows no key before a set was read, and says what the feed says', () => {
    const { issuer, isKnown, notices } = follow()
    expect([isKnown(), issuer().canFetchKeys, notices()]).to.deep.equal([
      false,
      true,
      ['a notice of the feed'],
    ])
  })

  it('is the same object while the set says the same, however often it is read', () => {
    const followed = follow({ text: texts.first, readAtMs: nowMs })
    const before = followed.issuer()
    followed.change({ text: texts.first, readAtMs: nowMs + 1000 })
    expect(followed.issuer()).to.equal(before)
    expect(followed.kinds().filter((kind) => kind === 'issuer_keys_read')).to.have.length(2)
    expect(followed.kinds().filter((kind) => kind === 'source_loaded')).to.have.length(1)
    followed.change({ text: texts.second, readAtMs: nowMs + 2000 })
    expect(followed.issuer().keys.keys.size).to.equal(before.keys.keys.size + 1)
    expect(followed.issuer().keys.id).not.to.equal(before.keys.id)
  })

  it('keeps what is in force when a set cannot be read', () => {
    const followed = follow({ text: texts.first, readAtMs: nowMs })
    const before = followed.issuer()
    followed.change({ text: '{"keys":[]}', readAtMs: nowMs })
    expect(followed.issuer()).to.equal(before)
  })

  const ages: readonly (readonly [string, number, number, boolean])[] = [
    ['just read, for a day', 0, 24 * hourMs, true],
    ['just read, no longer than a day', 0, 24 * hourMs + 1, false],
    ['that was kept, for what is left of a day', -20 * hourMs, 4 * hourMs, true],
    ['that was kept, no longer than what is left of a day', -20 * hourMs, 4 * hourMs + 1, false],
    // Else a clock that was ahead when the set was kept would make it live longer.
    ['of the future, no longer than a day', 5 * hourMs, 24 * hourMs + 1, false],
  ]
  for (const [name, readMs, laterMs, isKnown] of ages) {
    it(`believes a set ${name}`, () => {
      const followed = follow({ text: texts.first, readAtMs: nowMs + readMs })
      followed.clocks.elapsedMs = laterMs
      expect(followed.isKnown()).to.equal(isKnown)
      expect(followed.notices().join().includes('`maxStaleness`')).to.equal(!isKnown)
    })
  }

  for (const jumpMs of [-48 * hourMs, 48 * hourMs]) {
    it(`goes by the monotonic clock when the wall clock jumps by ${jumpMs / hourMs} h`, () => {
      const followed = follow({ text: texts.first, readAtMs: nowMs })
      followed.clocks.nowMs += jumpMs
      expect(followed.isKnown()).to.equal(true)
      followed.clocks.elapsedMs = 24 * hourMs + 1
      expect(followed.isKnown()).to.equal(false)
    })
  }

  it('believes a set again once a newer one was read', () => {
    const followed = follow({ text: texts.first, readAtMs: nowMs })
    followed.clocks.elapsedMs = 25 * hourMs
    followed.clocks.nowMs += 25 * hourMs
    expect(followed.isKnown()).to.equal(false)
    followed.change({ text: texts.first, readAtMs: nowMs + 25 * hourMs })
    expect(followed.isKnown()).to.equal(true)
  })
})
